//! The sources of templates, a directory or a commit alike: which folder is the template, and where its manifest is.

use super::caches::without_caches;
use super::{Loaded, load};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Facts, Result, nearest};
use crate::limits::SETTINGS;
use crate::manifest::Manifest;
use crate::spanned::Spanned;
use crate::template::MANIFEST;
use crate::tree::{RelPath, Tree};

/// At most this many templates are listed in a message.
const LISTED: usize = 8;

/// Files in folders. A folder is a path with `/` from the root, which is the empty one.
pub trait Files {
    /// Its name in messages and in the lock.
    fn source(&self) -> &str;
    /// The name of a folder in messages.
    fn name_of(&self, folder: &str) -> String;
    /// Whether there is such a folder.
    fn is_folder(&self, folder: &RelPath) -> bool;
    /// Whether a folder is reached through a link.
    ///
    /// # Errors
    ///
    /// Says what cannot be read.
    fn leads_out(&self, folder: &RelPath) -> Result<bool>;
    /// The manifest in a folder.
    ///
    /// # Errors
    ///
    /// Says what cannot be read.
    fn manifest(&self, folder: &str) -> Result<Option<ManifestFile>>;
    /// The folders below a folder, as seen from there, that have a manifest; not those below one that was found.
    ///
    /// # Errors
    ///
    /// Says what cannot be read.
    fn templates_below(&self, folder: &str) -> Result<Vec<String>>;
    /// Every file below a folder but its manifest and its repository.
    ///
    /// # Errors
    ///
    /// Every path that no project may have, or what cannot be read.
    fn tree(&self, folder: &str) -> Result<Tree>;
}

/// A manifest as it was found.
#[derive(Debug)]
pub struct ManifestFile {
    /// Its name in messages.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl ManifestFile {
    /// A manifest of its bytes.
    ///
    /// # Errors
    ///
    /// If they are not UTF-8, or too many.
    pub fn new(name: String, bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() as u64 > SETTINGS {
            return Self::too_large(&name);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(_) => Err(Diagnostic::error(Code::ManifestSyntax, format!("`{name}` is not UTF-8"))
                .help("save the manifest as UTF-8")
                .into()),
        }
    }

    /// Says that a manifest is larger than any that is written by hand.
    pub(super) fn too_large<T>(name: &str) -> Result<T> {
        let title = format!("the manifest `{name}` is larger than {} MiB", SETTINGS >> 20);
        Err(Diagnostic::error(Code::TooLarge, title).help("make the manifest smaller").into())
    }
}

/// Reads the template, or the one in `subfolder`.
///
/// A folder without a manifest uses its nearest parent's, as in cargo-generate.
///
/// # Errors
///
/// Says what is missing or cannot be read, and every problem of the manifest.
pub fn read(files: &dyn Files, subfolder: Option<&str>) -> Result<Loaded> {
    let folder = resolve(files, subfolder)?;
    let manifest = find_manifest(files, &folder)?;
    let tree = without_caches(files.tree(&folder)?);
    if manifest.is_none() && tree.is_empty() {
        return Err(Diagnostic::error(Code::TemplateNotFound, format!("the template `{}` is empty", files.source()))
            .help("pass the directory of a template; a git submodule must be checked out first")
            .into());
    }
    load((files.source().to_owned(), subfolder.map(str::to_owned)), manifest.as_ref(), tree, files.name_of(&folder))
}

/// The templates to choose from: folders with a manifest, not looking below one that was found; for a manifest with
/// `sub_templates`, those. Empty where what was asked for is the template.
///
/// # Errors
///
/// Says what cannot be read.
pub fn candidates(files: &dyn Files, subfolder: Option<&str>) -> Result<Vec<String>> {
    let folder = resolve(files, subfolder)?;
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let found = match files.manifest(&folder)? {
        Some(file) => {
            let (manifest, _) = crate::manifest::read(&file.name, file.text.trim_start_matches('\u{feff}'))?;
            check_sub_templates(files, &manifest, &below)?;
            manifest.sub_templates.iter().map(|folder| folder.value.clone()).collect()
        }
        None => files.templates_below(&folder)?,
    };
    Ok(found.iter().map(|name| below(name)).collect())
}

/// Checks that the sub-templates that a manifest lists are folders below its own.
fn check_sub_templates(files: &dyn Files, manifest: &Manifest, below: &dyn Fn(&str) -> String) -> Result<()> {
    let problem = |folder: &Spanned| {
        let name = &folder.value;
        let place = manifest.place(folder.span.clone());
        if ["", "."].contains(&name.trim_end_matches('/')) {
            let title = "the template lists itself as a sub-template";
            let problem = Diagnostic::error(Code::TemplateAmbiguous, title).at(place, "this folder");
            return Some(problem.help("list the folders below it, or remove `sub_templates`"));
        }
        let inside = RelPath::new(name.trim_end_matches('/'));
        let reason = match inside.and_then(|path| RelPath::new(below(path.as_str()))) {
            Ok(path) if files.is_folder(&path) => return None,
            Ok(_) => "is not a folder of the template".to_owned(),
            Err(reason) => reason.to_string(),
        };
        let problem = Diagnostic::error(Code::TemplateNotFound, format!("the sub-template `{name}` {reason}"));
        Some(problem.at(place, "not a folder").help("list folders below this one, with `/` between their parts"))
    };
    let problems: Vec<Diagnostic> = manifest.sub_templates.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
}

/// The folder that was asked for.
fn resolve(files: &dyn Files, subfolder: Option<&str>) -> Result<String> {
    let Some(subfolder) = subfolder else { return Ok(String::new()) };
    let missing = |what: &str, facts: Facts, help: String| {
        Diagnostic::error(Code::TemplateNotFound, format!("the subfolder `{subfolder}` {what}")).about(facts).help(help)
    };
    let general = || "pass a folder inside the template, with `/` between its parts".to_owned();
    let inside = RelPath::new(subfolder.trim_end_matches('/'))
        .map_err(|reason| missing(&reason.to_string(), Facts::OutsideOfTemplate, general()))?;
    if !files.is_folder(&inside) {
        let known = files.templates_below("").unwrap_or_default();
        let help = instead(subfolder, &known).unwrap_or_else(general);
        return Err(missing("is not a folder of the template", Facts::NoFolder, help).into());
    }
    if files.leads_out(&inside)? {
        let what = "is reached through a link, and links in a template are not followed";
        return Err(missing(what, Facts::OutsideOfTemplate, general()).into());
    }
    Ok(inside.as_str().to_owned())
}

/// The folders to use instead of one that does not exist.
fn instead(subfolder: &str, known: &[String]) -> Option<String> {
    if let Some(near) = nearest(subfolder, known.iter().map(String::as_str)) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed: Vec<String> = known.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > LISTED { " and more" } else { "" };
    (!known.is_empty()).then(|| format!("there are templates in {}{more}", listed.join(", ")))
}

/// The manifest of a folder, or of its nearest parent.
fn find_manifest(files: &dyn Files, folder: &str) -> Result<Option<ManifestFile>> {
    let mut folder = folder;
    loop {
        match files.manifest(folder)? {
            None if !folder.is_empty() => folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent),
            found => return Ok(found),
        }
    }
}

/// Whether a path leads to the manifest of its root.
pub(super) fn is_manifest(path: &str) -> bool {
    path == MANIFEST
}
