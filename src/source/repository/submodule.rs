//! Submodules: the files of another repository at the commit that the template names, as a recursive clone would bring them.

use super::{Commit, Wanted, fetch_at};
use crate::credentials::without_credentials;
use crate::diagnostic::{self, Code, Diagnostic};
use crate::git;
use crate::source::{Address, AddressError};
use crate::template::Reference;
use crate::tree::Tree;

/// The longest `.gitmodules`, in bytes.
const MAX_LENGTH: u64 = 1 << 20;

/// The path and the address of each submodule that a commit names.
pub(super) fn named(commit: &Commit<'_>) -> diagnostic::Result<Vec<(String, String)>> {
    match commit.content(".gitmodules", MAX_LENGTH)? {
        Some(text) => git::submodules(&text),
        None => Ok(Vec::new()),
    }
}

/// The files of the submodule at `path`; `named` are all that the commit names.
pub(super) fn files(commit: &Commit<'_>, path: &str, named: &[(String, String)]) -> diagnostic::Result<Tree> {
    let refuse = |reason: &str| {
        Diagnostic::error(Code::TemplateNotFound, format!("the template's submodule `{path}` {reason}"))
            .help("fix `.gitmodules` in the template, or use another commit")
    };
    let url = named.iter().find(|(at, _)| at.trim_end_matches('/') == path).map(|(_, url)| url.as_str());
    let url = url.ok_or_else(|| refuse("is not in its `.gitmodules`"))?;
    let address = resolve(commit.wanted.address, url).map_err(|reason| refuse(&reason))?;
    let object = commit.find(path)?.map(|listed| listed.object.as_str());
    let wanted = Wanted { address: &address, reference: &Reference::Default, commit: object, ..commit.wanted };
    fetch_at(wanted, commit.spot.below(path)?)?.files_below("")
}

/// The address of a submodule: as it is or, where it starts with `./` or `../`, as seen from its parent's.
fn resolve(parent: &Address, url: &str) -> Result<Address, String> {
    let address =
        if url.starts_with("./") || url.starts_with("../") { relative(parent, url) } else { Address::parse(url) };
    let shown = without_credentials(url);
    let address = address.map_err(|reason| format!("has the address `{shown}`, which {reason}"))?;
    let local = |address: &Address| match address {
        Address::Path(_) => true,
        Address::Url { full, .. } => full.starts_with("file://"),
    };
    // Somebody else's template may not choose among the user's own repositories.
    if local(&address) && !local(parent) {
        return Err(format!("has the address `{shown}`, which is on this machine, and its template is not"));
    }
    Ok(address)
}

/// The address of a submodule whose parent has the address `parent`.
#[cfg(fuzzing)]
pub(crate) fn resolved(parent: &Address, url: &str) -> Option<Address> {
    resolve(parent, url).ok()
}

fn relative(parent: &Address, url: &str) -> Result<Address, AddressError> {
    let full = match parent {
        Address::Path(_) if url.contains(char::is_control) => return Err(AddressError::Control),
        Address::Path(path) => return Ok(Address::Path(path.join(url))),
        Address::Url { full, .. } => full.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/'),
    };
    // What is before it names the host: there is nothing above.
    let host = match full.find("://") {
        Some(at) => full[at + 3..].find('/').map_or(full.len(), |end| at + 3 + end),
        None => full.find(':').map_or(0, |at| at + 1),
    };
    let (mut base, mut rest) = (full.to_owned(), url);
    loop {
        if let Some(next) = rest.strip_prefix("./") {
            rest = next;
        } else if let Some(next) = rest.strip_prefix("../") {
            rest = next;
            if base.len() <= host {
                return Err(AddressError::Incomplete);
            }
            base.truncate(base.rfind('/').map_or(host, |at| at.max(host)));
        } else {
            break;
        }
    }
    let between = if base.ends_with([':', '/']) { "" } else { "/" };
    Address::parse(&format!("{base}{between}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(parent: &str, url: &str) -> String {
        resolve(&Address::parse(parent).unwrap(), url).map_or_else(|reason| reason, |address| address.to_string())
    }

    #[test]
    fn an_address_is_relative_to_its_parents() {
        for (parent, url, expected) in [
            ("https://x.org/a/b.git", "../c.git", "https://x.org/a/c.git"),
            ("https://x.org/a/b/", "./c", "https://x.org/a/b/c"),
            ("https://x.org/a/b", "../../d/c", "https://x.org/d/c"),
            ("git@x.org:a/b.git", "../c.git", "git@x.org:a/c.git"),
            ("git@x.org:b.git", "../c.git", "git@x.org:c.git"),
            ("https://x.org/a/b", "https://y.org/c", "https://y.org/c"),
            ("/srv/a", "../b", "/srv/a/../b"),
        ] {
            assert_eq!(resolved(parent, url), expected, "{parent} {url}");
        }
    }

    #[test]
    fn a_template_chooses_neither_programs_nor_repositories_of_the_users() {
        for url in ["/home/ann/secret", "file:///home/ann/secret", "secret"] {
            assert!(resolved("https://x.org/a/b", url).contains("is on this machine"), "{url}");
        }
        for url in ["ext::sh -c x", "--upload-pack=x", "../../../../../x", "ssh://-oProxyCommand=x/y"] {
            assert!(resolved("https://x.org/a/b", url).starts_with("has the address"), "{url}");
        }
        assert!(resolved("/srv/a", "../b\u{1b}[2J").contains("has a control character"));
    }
}
