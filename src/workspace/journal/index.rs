//! Git's index, where a change leaves conflicts: they are put there before the lock is, and what was there comes back when
//! the change is undone.

use std::collections::BTreeSet;

use super::run::Run;
use super::text::Index;
use crate::diagnostic::Result;
use crate::git::{self, Indexed};

impl Run<'_> {
    pub(super) fn put_conflicts(&self) -> Result<()> {
        let Index { before, after } = &self.journal.index;
        self.turn(before, after)
    }

    pub(super) fn restore_index(&self) -> Result<()> {
        let Index { before, after } = &self.journal.index;
        self.turn(after, before)
    }

    /// Turns the index from one state into the other. That can be repeated, and what somebody has done about a path since
    /// stays as it is.
    fn turn(&self, from: &[Indexed], to: &[Indexed]) -> Result<()> {
        let all: BTreeSet<&str> = from.iter().chain(to).map(|it| it.path.as_str()).collect();
        let root = self.places.root();
        // A repository that has gone since has taken its index with it.
        let Some(any) = from.iter().chain(to).next().filter(|_| git::find_repository(root).is_some()) else {
            return Ok(());
        };
        let now = git::indexed(root, &all)?;
        let differs = |path: &&str| of(from, path).ne(of(to, path)) && of(&now, path).eq(of(from, path));
        let turned: BTreeSet<&str> = all.into_iter().filter(differs).collect();
        if turned.is_empty() {
            return Ok(());
        }
        self.disk.step("cannot write the index of", root)?;
        let entries: Vec<&Indexed> = to.iter().filter(|it| turned.contains(it.path.as_str())).collect();
        git::set_index(root, &turned, &entries, &any.object)
    }
}

fn of<'e>(entries: &'e [Indexed], path: &str) -> impl Iterator<Item = &'e Indexed> {
    entries.iter().filter(move |it| it.path == path)
}
