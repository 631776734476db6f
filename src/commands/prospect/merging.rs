//! The merge of an upgrade: git is only asked if the plan depends on its answer.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use crate::cli::RenderArgs;
use crate::diagnostic::Result;
use crate::git;
use crate::lock::label;
use crate::lock::{Base, Bases};
use crate::manifest::Ownership;
use crate::merge::draw::Style;
use crate::merge::{Options, merge};
use crate::plan::{Action, Change, Changes, Install, Plan, Trees};
use crate::render::Secret;
use crate::rooted::{Kind, Root};
use crate::scope::{Scope, Scoped};
use crate::template::Template;
use crate::trace;
use crate::tree::{RelPath, Tree};
use crate::workspace::{self, Site};

/// How files are merged, as far as git need not be asked.
pub(super) fn options(site: &Site, template: &Template, args: &RenderArgs, secret: Secret) -> Options {
    // Windows knows no executable bits: there, the project's are in git's index, and the template's must be, too.
    let has_bits = cfg!(unix) || template.origin.digest != template.origin.revision;
    let tag = template.origin.reference.tag();
    Options {
        version: label(tag.or(template.manifest.ownership.version.as_deref()), &template.origin.revision)
            .unwrap_or_default(),
        style: args.conflict.map_or(Style::Merge, Into::into),
        modes: has_bits && workspace::compares_modes(site),
        secret,
        ..Options::default()
    }
}

/// Merges; again, where git knows something that the plan depends on, and where a file is that the merge knew nothing of, at a
/// path that is not the template's: a name beside another file, or a place in a directory that the user moved.
pub(super) fn merged(
    site: &Site,
    bases: Option<&Bases>,
    ours: &mut Trees,
    theirs: &Trees,
    ownership: &Ownership,
    mut options: Options,
) -> Result<Plan> {
    let _stage = trace::stage("merging");
    let mut asked = site.repository.is_none();
    loop {
        let plan = merge(bases, ours, theirs, ownership, &options);
        // To ask takes longer than to merge.
        if !asked && depends_on_git(&plan, bases, ours) {
            asked = true;
            options = ask_git(site, bases, [ours, theirs], options)?;
            continue;
        }
        let taken =
            site.read(&chosen(&plan.files.app, &theirs.app), &chosen(&plan.files.repository, &theirs.repository))?;
        if taken.is_empty() {
            return Ok(plan);
        }
        // Where one such name is taken, the next ones may be, too: all are known to the next merge.
        let others = site.side_files(&taken)?;
        for (scope, (others, taken)) in others.zip(taken) {
            ours.of_mut(scope).extend(others.into_iter().chain(taken));
        }
    }
}

/// The lock files that the project has beside the manifests that change, or above them.
///
/// # Errors
///
/// If the app's directory cannot be opened.
pub(super) fn own_lock_files(site: &Site, plan: &Plan) -> Result<BTreeSet<(Scope, String)>> {
    let mut found = BTreeSet::new();
    let is_manifest = |path: &&RelPath| !Install::lock_files(path.file_name()).is_empty();
    let app: Vec<RelPath> = plan.files.app.keys().filter(is_manifest).cloned().collect();
    let mut repository: Vec<RelPath> = plan.files.repository.keys().filter(is_manifest).cloned().collect();
    // Those of a workspace are above the app.
    if let Some(app_dir) = &site.app_dir {
        let names = app.iter().map(RelPath::file_name);
        repository.extend(names.filter_map(|name| RelPath::new(format!("{app_dir}/{name}")).ok()));
    }
    for (scope, manifests) in (Scoped { app, repository }) {
        let place = site.place(scope);
        let Some(root) = (if manifests.is_empty() { None } else { Root::open_if_there(place)? }) else { continue };
        for manifest in &manifests {
            for directory in manifest.ancestors().map(|directory| format!("{directory}/")).chain([String::new()]) {
                let names = Install::lock_files(manifest.file_name()).iter().map(|name| format!("{directory}{name}"));
                let is_there = |path: &String| matches!(root.kind(path), Ok(Some(Kind::File)));
                found.extend(names.filter(is_there).map(|path| (scope, path)));
            }
        }
    }
    Ok(found)
}

/// The entries that a plan puts at paths that are not the template's, where it knows of nothing.
fn chosen(changes: &Changes, theirs: &Tree) -> Tree {
    let mut chosen = Tree::new();
    for (path, change) in changes {
        match &change.action {
            Action::Conflict(conflict) => chosen.extend(conflict.beside.iter().cloned()),
            Action::Create(entry) | Action::Move { after: entry, .. } if !theirs.contains_key(path) => {
                chosen.insert(path.clone(), entry.clone());
            }
            _ => {}
        }
    }
    chosen
}

/// Whether a plan may be another one with what git knows. Which paths are ignored counts for conflicts, and where a file that
/// has gone is looked for.
fn depends_on_git(plan: &Plan, bases: Option<&Bases>, ours: &Trees) -> bool {
    let none = Bases::default();
    let bases = bases.unwrap_or(&none);
    let moves = |change: &Change| matches!(change.action, Action::Move { .. });
    let has_gone = |base: &Base, ours: &Tree| base.keys().any(|path| !ours.contains_key(path));
    plan.has_conflicts()
        || plan.files.entries().map(|(_, it)| it).any(moves)
        || has_gone(&bases.files.app, &ours.app)
        || has_gone(&bases.files.repository, &ours.repository)
}

/// Which paths git ignores.
fn ask_git(site: &Site, bases: Option<&Bases>, trees: [&Trees; 2], options: Options) -> Result<Options> {
    let ignored = |root: &Path, base: Option<&Base>, trees: [&Tree; 2]| -> Result<BTreeSet<RelPath>> {
        let all = trees.iter().flat_map(|tree| tree.keys()).chain(base.into_iter().flat_map(|base| base.keys()));
        // Git refuses to look behind a link.
        let files: HashSet<&str> = trees[0].keys().map(RelPath::as_str).collect();
        let reachable = |path: &&RelPath| !path.ancestors().any(|above| files.contains(above));
        let all: BTreeSet<&RelPath> = all.filter(reachable).collect();
        let ignored = git::check_ignore(root, all.iter().map(|path| path.as_str()))?;
        Ok(ignored.into_iter().filter_map(|ignored| RelPath::new(ignored.path).ok()).collect())
    };
    Ok(Options {
        ignored: Scoped {
            app: ignored(&site.app, bases.map(|bases| &bases.files.app), trees.map(|trees| &trees.app))?,
            repository: ignored(
                site.root(),
                bases.map(|bases| &bases.files.repository),
                trees.map(|trees| &trees.repository),
            )?,
        },
        ..options
    })
}
