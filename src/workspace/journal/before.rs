//! What a project was before an upgrade, besides the files that the journal has: kept until the next change, for
//! `upgrade --abort`.
//!
//! ```text
//! create-app before 1
//! head   19892fb9…
//! index  100644 e69d… 0  src/api.ts
//! digest 9f86…
//! ```

use super::operation::Places;
use super::text::Journal;
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::git::{self, Indexed};
use crate::tree::RelPath;
use crate::workspace::site::Site;

const HEADER: &str = "create-app before 1\n";

/// The state of git before an upgrade.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::workspace) struct Before {
    /// The commit; none before the first one, and outside a repository.
    pub(in crate::workspace) head: Option<String>,
    /// The index's earlier entries for the paths that change, in order.
    pub(in crate::workspace) index: Vec<Indexed>,
}

impl Before {
    /// What git has now of all that a journal changes.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, if it has to be asked.
    pub(in crate::workspace) fn of(site: &Site, journal: &Journal) -> Result<Self> {
        let Some(root) = site.repository.as_deref() else { return Ok(Self::default()) };
        let paths = journal.paths(&Places::new(site));
        let index = git::entries(root, &paths.iter().map(String::as_str).collect())?;
        Ok(Self { head: git::head(root)?, index })
    }

    pub(super) fn render(&self) -> String {
        let mut out = format!("{HEADER}head\t{}\n", self.head.as_deref().unwrap_or("-"));
        out.extend(self.index.iter().map(|entry| format!("index\t{entry}\n")));
        let digest = Digest::of(out.as_bytes());
        format!("{out}digest\t{digest}\n")
    }

    /// The reverse; none for anything that create-app does not write.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (text, last) = text.split_at(text.rfind("digest\t")?);
        if last != format!("digest\t{}\n", Digest::of(text.as_bytes())) {
            return None;
        }
        let mut lines = text.strip_prefix(HEADER)?.lines();
        let head = lines.next()?.strip_prefix("head\t")?;
        let is_object = head.bytes().all(|byte| byte.is_ascii_hexdigit());
        let head = Some(head).filter(|head| *head != "-").map(|head| is_object.then(|| head.to_owned()));
        let entry = |line: &str| {
            let entry = Indexed::parse(line.strip_prefix("index\t")?)?;
            RelPath::new(entry.path.as_str()).is_ok().then_some(entry)
        };
        let is_record = |line: &str| Indexed::parse(line.strip_prefix("index\t")?).filter(|it| is_record(&it.path));
        let index = lines.map(|line| entry(line).or_else(|| is_record(line))).collect::<Option<_>>()?;
        Some(Self { head: head.map_or(Some(None), |head| head.map(Some))?, index })
    }
}

/// Whether a path is one of the record of an app, which no file of a template can have.
fn is_record(path: &str) -> bool {
    let Some((above, name)) = path.split_once(".create-app/") else { return false };
    let is_above = above.is_empty() || above.strip_suffix('/').is_some_and(|above| RelPath::new(above).is_ok());
    is_above && RelPath::new(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_nothing_else_is() {
        let entry = |path: &str| Indexed::parse(&format!("100644 e69d 0\t{path}")).unwrap();
        let paths = ["a b", "apps/shop/.create-app/lock.toml", ".create-app/base/00"];
        let before = Before { head: Some("19892fb9".into()), index: paths.map(entry).into() };
        for before in [before, Before::default()] {
            let text = before.render();
            assert_eq!(Before::parse(text.as_bytes()), Some(before));
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                assert_eq!(Before::parse(&bytes), None, "{at}");
            }
        }
        for path in ["../a", ".git/config", "../.create-app/x", ".create-app/../x", "a/.create-app/.git/x", "/a"] {
            let forged = Before { head: None, index: vec![entry(path)] };
            assert_eq!(Before::parse(forged.render().as_bytes()), None, "{path}");
        }
        for head in ["--output=x", "zz"] {
            let forged = Before { head: Some(head.into()), index: Vec::new() };
            assert_eq!(Before::parse(forged.render().as_bytes()), None, "{head}");
        }
    }
}
