//! Below the app, and below the root of the repository around it: the two places where a template has files. What there is of both is
//! [`Scoped`], so that a step is written once.

use std::collections::BTreeMap;

/// Where the path of a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// At the app's directory.
    App,
    /// At the repository's root.
    Repository,
}

/// Something of the app's files, and the same of those at the repository's root, which has none where the app is the root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scoped<T> {
    /// Below the app.
    pub app: T,
    /// Below the repository's root.
    pub repository: T,
}

impl<T> Scoped<T> {
    /// That of one scope.
    pub fn of(&self, scope: Scope) -> &T {
        match scope {
            Scope::App => &self.app,
            Scope::Repository => &self.repository,
        }
    }

    /// That of one scope, to be changed.
    pub fn of_mut(&mut self, scope: Scope) -> &mut T {
        match scope {
            Scope::App => &mut self.app,
            Scope::Repository => &mut self.repository,
        }
    }

    /// Both as references.
    pub fn as_ref(&self) -> Scoped<&T> {
        Scoped { app: &self.app, repository: &self.repository }
    }

    /// Both as references to be changed.
    pub fn as_mut(&mut self) -> Scoped<&mut T> {
        Scoped { app: &mut self.app, repository: &mut self.repository }
    }

    /// What `change` makes of each.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Scoped<U> {
        Scoped { app: change(self.app), repository: change(self.repository) }
    }

    /// What `change` makes of each, unless it fails.
    ///
    /// # Errors
    ///
    /// As `change`.
    pub fn try_map<U, E>(self, mut change: impl FnMut(T) -> Result<U, E>) -> Result<Scoped<U>, E> {
        Ok(Scoped { app: change(self.app)?, repository: change(self.repository)? })
    }

    /// Each with the other thing of its scope.
    pub fn zip<U>(self, other: Scoped<U>) -> Scoped<(T, U)> {
        Scoped { app: (self.app, other.app), repository: (self.repository, other.repository) }
    }

    /// Both, the app's first.
    pub fn iter(&self) -> impl Iterator<Item = (Scope, &T)> {
        self.as_ref().into_iter()
    }
}

impl<K, V> Scoped<BTreeMap<K, V>> {
    /// Whether there is nothing in either.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.app.is_empty() && self.repository.is_empty()
    }

    /// All that is in both, the app's first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.app.iter().chain(&self.repository)
    }
}

impl<T> IntoIterator for Scoped<T> {
    type Item = (Scope, T);
    type IntoIter = std::array::IntoIter<(Scope, T), 2>;

    fn into_iter(self) -> Self::IntoIter {
        [(Scope::App, self.app), (Scope::Repository, self.repository)].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_reached_in_the_same_order() {
        let lengths = Scoped { app: "a", repository: "bc" }.map(str::len);
        assert_eq!(lengths.iter().collect::<Vec<_>>(), [(Scope::App, &1), (Scope::Repository, &2)]);
        assert_eq!(lengths.zip(Scoped { app: 'x', repository: 'y' }).of(Scope::Repository), &(2, 'y'));
        assert_eq!(lengths.try_map(|length| if length < 2 { Ok(()) } else { Err(length) }), Err(2));
    }
}
