//! The limits of one template with all of its submodules: they can multiply, because several may be the same
//! repository.

use std::cell::Cell;
use std::rc::Rc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::Length;
use crate::limits::{TEMPLATE, TEMPLATE_FILES};

/// The most that all commits may list. A template may be one folder of a large repository.
const MAX_LISTED: Length = Length { entries: 300_000, bytes: 64 << 20 };
/// The most submodules.
const MAX_SUBMODULES: usize = 100;
/// The most submodules inside each other.
const MAX_DEPTH: usize = 8;

/// A place in a template: at the root, or of a submodule.
#[derive(Debug, Clone, Default)]
pub(super) struct Spot {
    /// The path from the root.
    path: String,
    depth: usize,
    used: Rc<Used>,
}

/// What all places together have.
#[derive(Debug, Default)]
struct Used {
    submodules: Cell<usize>,
    listed: Cell<Length>,
    files: Cell<usize>,
    bytes: Cell<u64>,
}

impl Spot {
    /// The place of a submodule below this one.
    ///
    /// # Errors
    ///
    /// If it is too deep.
    pub(super) fn below(&self, path: &str) -> Result<Self> {
        let path = if self.path.is_empty() { path.to_owned() } else { format!("{}/{path}", self.path) };
        if self.depth >= MAX_DEPTH {
            let title = format!("the template's submodule `{path}` is nested in {MAX_DEPTH} others");
            return Err(too_large(title, "use a template with fewer levels of submodules"));
        }
        Ok(Self { path, depth: self.depth + 1, used: Rc::clone(&self.used) })
    }

    /// Adds submodules that are here.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub(super) fn add_submodules(&self, more: usize) -> Result<()> {
        self.used.submodules.update(|number| number.saturating_add(more));
        if self.used.submodules.get() <= MAX_SUBMODULES {
            return Ok(());
        }
        let title = format!("the template has more than {MAX_SUBMODULES} submodules{}", self.shown());
        Err(too_large(title, "remove those that the template does not need"))
    }

    /// How much more may be listed.
    pub(super) fn list_left(&self) -> Length {
        let Length { entries, bytes } = self.used.listed.get();
        Length { entries: MAX_LISTED.entries - entries, bytes: MAX_LISTED.bytes - bytes }
    }

    /// Adds what was listed here, which is no more than there may be.
    pub(super) fn add_list(&self, more: Length) {
        let Length { entries, bytes } = self.used.listed.get();
        let entries = MAX_LISTED.entries.min(entries.saturating_add(more.entries));
        let bytes = MAX_LISTED.bytes.min(bytes.saturating_add(more.bytes));
        self.used.listed.set(Length { entries, bytes });
    }

    /// Says that the list is too long.
    pub(super) fn list_is_too_long(&self) -> Diagnostics {
        let most = MAX_LISTED.entries;
        let title = format!("the template's repository has more than {most} files and directories{}", self.shown());
        too_large(title, "move the template to a repository of its own")
    }

    /// Adds files that are here, with so many bytes.
    ///
    /// # Errors
    ///
    /// If there are too many, or if they are too large.
    pub(super) fn add_files(&self, more: usize, bytes: u64) -> Result<()> {
        self.used.files.update(|number| number.saturating_add(more));
        self.used.bytes.update(|number| number.saturating_add(bytes));
        let most = if self.used.files.get() > TEMPLATE_FILES {
            format!("{TEMPLATE_FILES} files")
        } else if self.used.bytes.get() > TEMPLATE {
            format!("{} MiB of files", TEMPLATE >> 20)
        } else {
            return Ok(());
        };
        let title = format!("the template has more than {most}{}", self.shown());
        Err(too_large(title, "is this the template's directory? Choose one with --subfolder"))
    }

    /// How many bytes there may be.
    pub(super) fn bytes_left(&self) -> u64 {
        TEMPLATE.saturating_sub(self.used.bytes.get())
    }

    /// Where it is, at the end of a sentence.
    fn shown(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(", counted up to its submodule `{}`", self.path) }
    }
}

fn too_large(title: String, help: &str) -> Diagnostics {
    Diagnostic::error(Code::TooLarge, title).help(help).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().0.remove(0).title
    }

    #[test]
    fn all_submodules_share_what_there_may_be() {
        let root = Spot::default();
        root.add_submodules(60).unwrap();
        let inner = root.below("a").unwrap().below("b/c").unwrap();
        assert_eq!(
            title(inner.add_submodules(41)),
            "the template has more than 100 submodules, counted up to its submodule `a/b/c`"
        );
        inner.add_files(TEMPLATE_FILES, TEMPLATE).unwrap();
        assert_eq!(root.bytes_left(), 0);
        assert_eq!(title(root.add_files(0, 1)), format!("the template has more than {} MiB of files", TEMPLATE >> 20));
        assert_eq!(title(root.add_files(1, 0)), format!("the template has more than {TEMPLATE_FILES} files"));
        assert!(title(inner.add_files(usize::MAX, u64::MAX)).ends_with("its submodule `a/b/c`"));
        root.add_list(Length { entries: 1, bytes: 2 });
        inner.add_list(Length { entries: MAX_LISTED.entries, bytes: 3 });
        assert_eq!(root.list_left(), Length { entries: 0, bytes: MAX_LISTED.bytes - 5 });
    }

    #[test]
    fn submodules_are_not_too_deep() {
        let deepest = (0..MAX_DEPTH).fold(Spot::default(), |spot, _| spot.below("s").unwrap());
        assert!(title(deepest.below("s")).ends_with("`s/s/s/s/s/s/s/s/s` is nested in 8 others"));
    }
}
