//! `case.toml`, and what is beside it.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::answers::given::{self, GivenValues};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::limits::{SETTINGS, TEMPLATE, is_overfull_toml};
use crate::liquid::Total;
use crate::placeholders::built_in;
use crate::placeholders::built_in::{Author, Facts};
use crate::rooted::Root;
use crate::source;
use crate::tree::{RelPath, Tree};

/// The file that makes a folder a case.
pub(super) const FILE: &str = crate::commands::pipeline::render::CASE;
/// The folder in it with the tree that is expected.
pub(super) const EXPECTED: &str = "expected";
/// The file in it with what an upgrade is expected to say.
pub(super) const SUMMARY: &str = "summary.txt";
/// The folder in it with the project as the old template rendered it.
const BASE: &str = "base";
/// The folder in it with files that the user added or changed.
const EDIT: &str = "edit";
/// The file in it with what the user changed.
const PATCH: &str = "edit.patch";

/// A case as its author wrote it.
pub(super) struct Case {
    /// The project's name.
    pub(super) name: String,
    /// The app below the repository's root; `None` if it is the root.
    pub(super) app_dir: Option<RelPath>,
    /// The answers with which the project is made.
    pub(super) values: GivenValues,
    /// How the project is upgraded, if it is.
    pub(super) upgrade: Option<Upgrade>,
}

/// A project that was made once, what its user did since, and what is given to the upgrade.
pub(super) struct Upgrade {
    /// Where the project comes from.
    pub(super) from: From,
    /// The user's patch: its file and its bytes.
    pub(super) patch: Option<(PathBuf, Vec<u8>)>,
    /// The files that the user added or changed.
    pub(super) edit: Tree,
    /// The files that the user deleted, with their places.
    pub(super) delete: Vec<(String, Place)>,
    /// The answers that are given to the upgrade.
    pub(super) values: GivenValues,
    /// The version of the template that made the project, where only the project's files are known; without it, today's.
    pub(super) version: Option<String>,
}

/// The starting point of an upgrade.
pub(super) enum From {
    /// The project as it was rendered.
    Base(Tree),
    /// The template at a revision of its own repository, with the place that names it.
    Revision(String, Place),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "default_name")]
    name: String,
    #[serde(default)]
    app_dir: Option<Spanned<String>>,
    #[serde(default)]
    values: given::Values,
    #[serde(default)]
    upgrade: Option<Spanned<WrittenUpgrade>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenUpgrade {
    #[serde(default)]
    from: Option<Spanned<String>>,
    #[serde(default)]
    delete: Vec<Spanned<String>>,
    #[serde(default)]
    values: given::Values,
    #[serde(default)]
    version: Option<String>,
}

fn default_name() -> String {
    "my-app".to_owned()
}

/// The text of a case, for its places.
struct Source<'f> {
    folder: &'f Root,
    file: String,
    text: Arc<str>,
}

impl Source<'_> {
    fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place::new(&self.file, Arc::clone(&self.text), span)
    }

    fn values(&self, values: given::Values) -> Result<GivenValues> {
        given::values(&self.file, &self.text, values)
    }

    /// Whether there is something of this name; what that is shows when it is read.
    fn has(&self, name: &str) -> bool {
        !matches!(self.folder.kind(name), Ok(None))
    }

    /// The files in the folder of this name.
    fn tree(&self, name: &str) -> Result<Tree> {
        let folder = self.folder.descend(name);
        let folder = folder.map_err(|failure| failure.diagnostic("cannot read", &self.folder.path().join(name)))?;
        source::read_tree(&folder)
    }
}

impl Case {
    /// Reads the case in a folder.
    pub(super) fn read(folder: &Root) -> Result<Self> {
        let path = folder.path().join(FILE);
        let bytes = folder.read(FILE, SETTINGS).map_err(|failure| failure.diagnostic("cannot read", &path))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Diagnostic::io("cannot read", &path, &std::io::ErrorKind::InvalidData.into()))?;
        let source = Source { folder, file: path.to_string_lossy().replace('\\', "/"), text: text.into() };
        if is_overfull_toml(&source.text) {
            let title = "this test case is too complex";
            let problem = Diagnostic::error(Code::TestCase, title).at(source.place(0..0), "too many keys");
            return Err(problem.help("keep the answers, and put files into folders beside it").into());
        }
        let written: Written = toml::from_str(&source.text).map_err(|error| {
            Diagnostic::error(Code::TestCase, "this is not a test case")
                .at(source.place(error.span().unwrap_or(0..0)), error.message())
                .help("a case has `name`, `app_dir` and the tables `[values]` and `[upgrade]`, all optional")
        })?;
        Ok(Self {
            name: written.name,
            app_dir: written.app_dir.map(|path| app_dir(&source, &path)).transpose()?.flatten(),
            values: source.values(written.values)?,
            upgrade: upgrade(&source, written.upgrade)?,
        })
    }

    /// Counts in `total` what it took to read the case, and what it takes to make its project.
    pub(super) fn charge(&self, total: &Total) {
        total.case();
        let Some(upgrade) = &self.upgrade else { return };
        if let From::Base(base) = &upgrade.from {
            total.handle_tree(base);
        }
        total.handle_tree(&upgrade.edit);
        total.handle(upgrade.patch.as_ref().map_or(0, |(_, patch)| patch.len()));
    }

    /// What follows from the case as it would from a place on the disk and its user.
    pub(super) fn facts(&self) -> Facts {
        let app_dir = self.app_dir.as_ref().map_or(".", RelPath::as_str);
        Facts {
            name: self.name.clone(),
            app_dir: app_dir.to_owned(),
            app_suffix: built_in::app_suffix(app_dir, false),
            is_init: false,
            within_cargo_project: false,
            author: Some(Author { name: "A. Author".into(), email: Some("author@example.com".into()) }),
        }
    }
}

fn app_dir(source: &Source<'_>, path: &Spanned<String>) -> Result<Option<RelPath>> {
    if path.get_ref() == "." {
        return Ok(None);
    }
    let path = RelPath::new(path.get_ref().as_str()).map_err(|reason| {
        Diagnostic::error(Code::TestCase, format!("the path `{}` {reason}", path.get_ref()))
            .at(source.place(path.span()), "not a folder of a repository")
            .help("write the app's folder below its repository, such as `apps/shop`")
    });
    Ok(Some(path?))
}

fn upgrade(source: &Source<'_>, written: Option<Spanned<WrittenUpgrade>>) -> Result<Option<Upgrade>> {
    let Some(written) = written else {
        let unused = [BASE, EDIT, PATCH, SUMMARY].into_iter().find(|name| source.has(name));
        return unused.map_or(Ok(None), |name| {
            let title = format!("the case has `{name}`, but it is not an upgrade");
            Err(Diagnostic::error(Code::TestCase, title)
                .at(source.place(0..0), "no table `[upgrade]`")
                .help(format!("add the line `[upgrade]`, or remove `{name}`"))
                .into())
        });
    };
    let span = written.span();
    let written = written.into_inner();
    let from = match (written.from, source.has(BASE)) {
        (Some(revision), false) => From::Revision(revision.get_ref().clone(), source.place(revision.span())),
        (None, true) => From::Base(source.tree(BASE)?),
        (Some(revision), true) => {
            return Err(Diagnostic::error(Code::TestCase, "the case says twice what to upgrade")
                .at(source.place(revision.span()), format!("and there is the folder `{BASE}`"))
                .help("remove one of them")
                .into());
        }
        (None, false) => {
            return Err(Diagnostic::error(Code::TestCase, "the case does not say what to upgrade")
                .at(source.place(span), "there is no old project")
                .help(format!(
                    "write `from` and a revision of the template's repository, or put the project, as the old template \
                     rendered it, into the folder `{BASE}`"
                ))
                .into());
        }
    };
    let patch = source.folder.path().join(PATCH);
    let read = || source.folder.read(PATCH, TEMPLATE).map_err(|failure| failure.diagnostic("cannot read", &patch));
    Ok(Some(Upgrade {
        from,
        patch: if source.has(PATCH) { Some((patch.clone(), read()?)) } else { None },
        edit: if source.has(EDIT) { source.tree(EDIT)? } else { Tree::new() },
        delete: written.delete.into_iter().map(|path| (path.get_ref().clone(), source.place(path.span()))).collect(),
        version: written.version,
        values: source.values(written.values)?,
    }))
}
