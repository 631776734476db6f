//! The paths of rendered files: each component is a template of its own, and none may lead out of the project.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};

use super::text::{Findings, Renderer};
use crate::diagnostic::{Code, Diagnostic, Found, Place, Severity};
use crate::liquid::element;
use crate::template::Names;
use crate::tree::{Entry, RelPath, Tree, differ_in, folded};

/// Renders a template path; `None` when a problem was reported.
pub(super) fn render(renderer: &Renderer<'_>, path: &RelPath, found: &mut Findings) -> Option<RelPath> {
    let text = path.as_str();
    if !element::has_liquid(text) {
        return checked(renderer, path, text.to_owned(), found);
    }
    let name = renderer.names.of(path);
    let mut components = Vec::new();
    let mut offset = 0;
    for component in text.split('/') {
        let span = offset..offset + component.len();
        offset = span.end + 1;
        let rendered = public(renderer, (&name, text, span.clone()), component, found)?;
        let rendered = if element::has_liquid(component) { portable(&rendered) } else { rendered };
        if rendered.contains(['/', '\\']) {
            found.problems.push(unsafe_path(&name, text, span, &rendered, "contains a path separator"));
            return None;
        }
        let is_file = offset > text.len();
        match (rendered.is_empty(), is_file) {
            (false, _) => components.push(rendered),
            // A directory whose name renders to nothing vanishes: its files move up.
            (true, false) => {}
            (true, true) => {
                let problem = Diagnostic::error(Code::UnsafePath, "a file's name renders to nothing")
                    .at(Place::new(&name, text, span), "empty")
                    .help("give the placeholder a value, or make the file conditional with `ignore`");
                found.problems.push(problem);
                return None;
            }
        }
    }
    checked(renderer, path, components.join("/"), found)
}

/// Renders a part of a path, which must be the same whatever the secret answers are: paths are recorded and shown.
fn public(
    renderer: &Renderer<'_>,
    (name, whole, span): (&str, &str, std::ops::Range<usize>),
    part: &str,
    found: &mut Findings,
) -> Option<String> {
    let mut own = Findings::default();
    let rendered = renderer.text(name, part, &mut own);
    let Some(secret) = own.secret else {
        found.problems.append(&mut own.problems);
        return rendered;
    };
    let title = format!("the path `{whole}` depends on the secret answer `{secret}`");
    let problem = Diagnostic::error(Code::UnsafePath, title)
        .at(Place::new(name, whole, span), "paths are recorded and shown")
        .help(format!("name the file without `{secret}`; its content may use it"));
    found.problems.push(problem);
    None
}

fn checked(renderer: &Renderer<'_>, path: &RelPath, rendered: String, found: &mut Findings) -> Option<RelPath> {
    match RelPath::new(rendered.clone()) {
        Ok(path) => Some(path),
        Err(reason) => {
            let text = path.as_str();
            found.problems.push(unsafe_path(
                &renderer.names.of(path),
                text,
                0..text.len(),
                &rendered,
                &reason.to_string(),
            ));
            None
        }
    }
}

/// Replaces the characters that a value may bring along and that some system does not take in a file name, as
/// cargo-generate does.
fn portable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || r#"<>:"|?*"#.contains(c) { '_' } else { c }).collect()
}

/// [`portable`] for the values in a pattern, whose wildcards are its own.
pub(super) fn portable_pattern(pattern: &str) -> String {
    pattern.chars().map(|c| if c.is_control() || r#"<>:"|"#.contains(c) { '_' } else { c }).collect()
}

/// Renders the target of a symbolic link; where it leads is seen when the tree is complete.
pub(super) fn render_target(
    renderer: &Renderer<'_>,
    template_path: &RelPath,
    target: &str,
    found: &mut Findings,
) -> Option<Entry> {
    let name = renderer.names.of(template_path);
    let target = if element::has_liquid(target) {
        public(renderer, (&name, target, 0..target.len()), target, found)?
    } else {
        target.to_owned()
    };
    Some(Entry::Symlink { target })
}

/// How many links may be followed on the way to one target, as in Linux.
const MAX_LINKS: usize = 40;
/// The longest target of a link, in bytes, as in Linux.
const MAX_TARGET: usize = 4_095;
/// How many components all links of a tree may pass: some seconds, at the most.
const MAX_PASSED: usize = 1_000_000;

/// Follows the links of a tree.
struct Links<'t> {
    targets: HashMap<&'t str, &'t str>,
    /// How many components have been passed.
    passed: usize,
}

impl<'t> Links<'t> {
    fn of(tree: &'t Tree) -> Self {
        let links = tree.iter().filter_map(|(path, entry)| match entry {
            Entry::Symlink { target } => Some((path.as_str(), target.as_str())),
            Entry::File { .. } => None,
        });
        Self { targets: links.collect(), passed: 0 }
    }

    /// Whether a link leads to nowhere but into the project, through all the links of the tree that it passes.
    fn stays_inside(&mut self, path: &RelPath, target: &'t str) -> bool {
        let mut at = path.as_str().rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
        let mut links = 0;
        let mut ahead: Vec<&str> = Vec::new();
        let mut next = Some(target);
        loop {
            if let Some(target) = next.take() {
                links += 1;
                let leads_out = target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']);
                if links > MAX_LINKS || leads_out || target.len() > MAX_TARGET {
                    return false;
                }
                ahead.extend(target.rsplit('/').filter(|component| !matches!(*component, "" | ".")));
            }
            let Some(component) = ahead.pop() else { break };
            self.passed += 1;
            let above = at.rfind('/').unwrap_or_default();
            if component == ".." {
                if at.is_empty() {
                    return false;
                }
                at.truncate(above);
                continue;
            }
            let length = at.len();
            if length + component.len() > MAX_TARGET || self.passed > MAX_PASSED {
                return false;
            }
            if length > 0 {
                at.push('/');
            }
            at.push_str(component);
            if let Some(&target) = self.targets.get(at.as_str()) {
                at.truncate(length);
                next = Some(target);
            }
        }
        at.is_empty() || RelPath::new(at).is_ok()
    }
}

fn unsafe_path(
    name: &str,
    template_path: &str,
    span: std::ops::Range<usize>,
    rendered: &str,
    reason: &str,
) -> Diagnostic {
    Diagnostic::error(Code::UnsafePath, format!("the path `{rendered}` {reason}"))
        .at(Place::new(name, template_path, span), format!("renders to `{rendered}`"))
        .help("give the placeholder a value that is a plain file name, or rename the file in the template")
}

/// Files on their way into one tree.
pub(super) struct Placed<'a> {
    names: &'a Names,
    tree: Tree,
    /// Which template path made which path.
    origins: BTreeMap<RelPath, RelPath>,
    collisions: Found,
}

impl<'a> Placed<'a> {
    /// An empty tree.
    pub(super) fn new(names: &'a Names) -> Self {
        Self { names, tree: Tree::new(), origins: BTreeMap::new(), collisions: Found::default() }
    }

    /// Places a file; a second one at the same path is a collision.
    pub(super) fn place(&mut self, template_path: RelPath, path: RelPath, entry: Entry) {
        if let Some(first) = self.origins.get(&path) {
            self.collisions.push_with(Code::PathCollision, Severity::Error, || {
                let title = format!("`{template_path}` and `{first}` both render to `{path}`");
                collision(self.names, &template_path, &title)
            });
            return;
        }
        self.origins.insert(path.clone(), template_path);
        self.tree.insert(path, entry);
    }

    /// The tree, and everything that cannot be in one tree: two files of one path, a file where a directory is needed, a
    /// link that leads out of it; with a warning, two paths that differ only in case.
    pub(super) fn finish(mut self) -> (Tree, Vec<Diagnostic>) {
        self.check_links();
        let sorted: Vec<&RelPath> = self.origins.keys().collect();
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (path, template_path) in &self.origins {
            let below = format!("{path}/");
            let first_below = sorted.get(sorted.partition_point(|other| other.as_str() < below.as_str()));
            if let Some(other) = first_below.filter(|other| other.as_str().starts_with(&below)) {
                let other = &self.origins[*other];
                self.collisions.push_with(Code::PathCollision, Severity::Error, || {
                    let title = format!(
                        "`{template_path}` renders to the file `{path}`, but `{other}` needs a directory there"
                    );
                    collision(self.names, other, &title)
                });
            }
            let directories = path.ancestors().take_while(|above| !above.is_empty());
            for name in std::iter::once(path.as_str()).chain(directories) {
                match seen.entry(folded(name)) {
                    Slot::Vacant(entry) => drop(entry.insert(name)),
                    Slot::Occupied(mut entry) if *entry.get() != name => {
                        let other = entry.insert(name);
                        self.collisions.push_with(Code::PathCollision, Severity::Warning, || {
                            let (what, [other, name]) = differ_in(other, name);
                            let title = format!(
                                "`{other}` and `{name}` differ only in {what}: macOS and Windows treat them as the \
                                 same file"
                            );
                            Diagnostic { severity: Severity::Warning, ..collision(self.names, template_path, &title) }
                        });
                    }
                    // The directories above were seen with it.
                    Slot::Occupied(_) => break,
                }
            }
        }
        (self.tree, self.collisions.into_vec())
    }

    fn check_links(&mut self) {
        let mut links = Links::of(&self.tree);
        for (path, entry) in &self.tree {
            let Entry::Symlink { target } = entry else { continue };
            if links.stays_inside(path, target) {
                continue;
            }
            if links.passed > MAX_PASSED {
                let title = format!(
                    "the symbolic links pass through more than {MAX_PASSED} directories: `{path}` goes over the limit"
                );
                let help = "link to files by short paths, and not to other links";
                self.collisions.push(Diagnostic::error(Code::TooLarge, title).help(help));
                return;
            }
            self.collisions.push_with(Code::UnsafePath, Severity::Error, || {
                let name = self.origins.get(path).map_or_else(|| path.to_string(), |path| self.names.of(path));
                Diagnostic::error(Code::UnsafePath, format!("the symbolic link `{path}` leads out of the project"))
                    .at(Place::new(name, target.as_str(), 0..target.len()), format!("points at `{target}`"))
                    .help("link to a file of the template by a relative path")
            });
        }
    }
}

fn collision(names: &Names, template_path: &RelPath, title: &str) -> Diagnostic {
    let text = template_path.as_str();
    Diagnostic::error(Code::PathCollision, title)
        .at(Place::new(names.of(template_path), text, 0..text.len()), "renders here")
        .help("give the files different names, or make one of them conditional with `ignore`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_may_not_leave_the_project() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let link = |target: &str| Entry::Symlink { target: target.into() };
        let stays_inside = |tree: &Tree, path: &RelPath, target: &str| Links::of(tree).stays_inside(path, target);
        let inside = |at: &str, target: &str| stays_inside(&Tree::new(), &path(at), target);
        assert!(inside("a/b", "../c"));
        assert!(inside("a/b", "../a/./x/../b2"));
        assert!(inside("link", "."));
        assert!(!inside("a/b", "../../c"));
        assert!(!inside("link", "/etc/passwd"));
        assert!(!inside("link", ".git/hooks"));
        assert!(!inside("a/b", "..\\..\\c"));
        assert!(!inside("a", "b/../../a"));

        let tree: Tree = [("sub/deep/up", "../.."), ("loop", "loop"), ("ok", "sub/deep/up")]
            .map(|(at, target)| (path(at), link(target)))
            .into();
        assert!(stays_inside(&tree, &path("x"), "sub/deep/up/sub"));
        assert!(stays_inside(&tree, &path("ok"), "sub/deep/up"));
        assert!(!stays_inside(&tree, &path("x"), "sub/deep/up/.."));
        assert!(!stays_inside(&tree, &path("x"), "ok/../file"));
        assert!(!stays_inside(&tree, &path("loop"), "loop"));
    }
}
