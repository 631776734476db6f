//! Releases: tags that are versions, and which of them is wanted.

use semver::{Version, VersionReq};

/// No tag with a longer name is a version.
const LONGEST: usize = 255;

/// Which releases are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement(VersionReq);

impl Requirement {
    /// Reads a version requirement, as Cargo writes them, or `latest`; none for anything else, and for a whole version: that is the
    /// name of a tag.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "latest" => Some(Self(VersionReq::STAR)),
            text if text.len() > LONGEST || Version::parse(text).is_ok() => None,
            text => VersionReq::parse(text).ok().map(Self),
        }
    }

    /// The newest of these tags that is meant. Tags of other packages in the repository, such as `web-v1.0.0` beside `v1.0.0`, are left
    /// out: the ones that are named as `like` is count, else those that are nothing but a version. Prereleases count where the
    /// requirement has one.
    #[must_use]
    pub fn newest<'t>(&self, tags: &'t [String], like: Option<&str>) -> Option<&'t str> {
        let family = like.and_then(Release::of).map_or(String::new(), |release| release.family.to_owned());
        let releases = tags.iter().filter_map(|tag| Some((Release::of(tag)?, tag)));
        let fits =
            |release: &Release<'_>| release.family == family && release.parts == 3 && self.0.matches(&release.version);
        let newest = releases.filter(|(release, _)| fits(release)).max_by(|(a, _), (b, _)| a.version.cmp(&b.version));
        newest.map(|(_, tag)| tag.as_str())
    }
}

/// A tag that is a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release<'t> {
    /// The text before the version, without a `v`: other packages of the repository have another one.
    pub family: &'t str,
    /// How many of the three numbers the tag has: `v1` often moves, and is not a release beside `v1.2.3`.
    pub parts: usize,
    /// The version.
    pub version: Version,
}

impl<'t> Release<'t> {
    /// Reads the name of a tag.
    #[must_use]
    pub fn of(tag: &'t str) -> Option<Self> {
        if tag.len() > LONGEST {
            return None;
        }
        let starts = tag.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at);
        let mut starts = starts.filter(|at| *at == 0 || !matches!(tag.as_bytes()[at - 1], b'0'..=b'9' | b'.'));
        starts.find_map(|at| {
            let (parts, version) = version(&tag[at..])?;
            let family = &tag[..at];
            let family = family.strip_suffix(['v', 'V']).unwrap_or(family);
            // `rev1` is not version 1 of `re`.
            let is_apart = family == &tag[..at] || !family.ends_with(|last: char| last.is_alphanumeric());
            is_apart.then_some(Self { family, parts, version })
        })
    }

    /// Whether this is a release of the same package as another one, told in as many numbers.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.family == other.family && self.parts == other.parts
    }
}

/// A version whose last numbers may be missing, and how many numbers it has.
fn version(text: &str) -> Option<(usize, Version)> {
    // A date as a version (`2024.01.05`) has zeros that semantic versions do not allow.
    if let Ok(version) = Version::parse(text).or_else(|_| Version::parse(&without_leading_zeros(text))) {
        return Some((3, version));
    }
    let numbers: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers?.as_slice() {
        [major] => Some((1, Version::new(*major, 0, 0))),
        [major, minor] => Some((2, Version::new(*major, *minor, 0))),
        _ => None,
    }
}

/// The same version, with its three numbers as a semantic version spells them.
fn without_leading_zeros(text: &str) -> String {
    let core = text.find(['-', '+']).unwrap_or(text.len());
    let number = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_owned(),
    };
    text[..core].split('.').map(number).collect::<Vec<_>>().join(".") + &text[core..]
}

/// The newest of these tags, where it is newer than another one, and how many releases newer it is. Prereleases count beside a prerelease.
#[must_use]
pub fn newer_than<'t>(tag: &str, tags: &'t [String]) -> Option<(&'t str, usize)> {
    let old = Release::of(tag)?;
    let counts = |it: &Release<'_>| {
        it.is_like(&old) && it.version > old.version && (it.version.pre.is_empty() || !old.version.pre.is_empty())
    };
    let newer = tags.iter().filter_map(|tag| Some((Release::of(tag)?, tag.as_str())));
    let newer: Vec<(Release<'_>, &str)> = newer.filter(|(release, _)| counts(release)).collect();
    let newest = newer.iter().max_by(|(a, _), (b, _)| a.version.cmp(&b.version))?;
    Some((newest.1, newer.len()))
}

/// How many releases there are from one tag to a newer one, with that one.
#[must_use]
pub fn between(old: &str, new: &str, tags: &[String]) -> usize {
    let (Some(old), Some(new)) = (Release::of(old), Release::of(new)) else { return 0 };
    let counts = |it: &Release<'_>| {
        let is_newer = it.is_like(&old) && it.version > old.version && it.version <= new.version;
        is_newer && (it.version.pre.is_empty() || !new.version.pre.is_empty())
    };
    tags.iter().filter_map(|tag| Release::of(tag)).filter(counts).count()
}

/// Whether one tag is an older release than another, where both are releases of the same package.
#[must_use]
pub fn is_older(new: &str, old: &str) -> Option<bool> {
    let (new, old) = (Release::of(new)?, Release::of(old)?);
    new.is_like(&old).then(|| new.version < old.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_versions_of_a_package() {
        let read = |tag: &str| Release::of(tag).map(|it| format!("{}|{}|{}", it.family, it.parts, it.version));
        for (tag, expected) in [
            ("v1.2.3", "|3|1.2.3"),
            ("1.2.3-rc.1", "|3|1.2.3-rc.1"),
            ("web-v1.2.3", "web-|3|1.2.3"),
            ("web@1.2.3", "web@|3|1.2.3"),
            ("app2-v1.0.0", "app2-|3|1.0.0"),
            ("release/1.2", "release/|2|1.2.0"),
            ("v7", "|1|7.0.0"),
            ("2024.01.05", "|3|2024.1.5"),
            ("v2024.00.10-rc.1", "|3|2024.0.10-rc.1"),
        ] {
            assert_eq!(read(tag).as_deref(), Some(expected), "{tag}");
        }
        let long = "1".repeat(300);
        for tag in ["", "main", "v1.2.3.4", "rev1", "v1.x", "v99999999999999999999", "01..1", "2024.01.05.1", &long] {
            assert_eq!(read(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_requirement_is_no_name_of_a_tag() {
        for text in ["latest", "^1", "~1.2", ">=1, <3", "1", "1.2", "1.*", "=1.2.3", "^1.0.0-rc.1"] {
            assert!(Requirement::parse(text).is_some(), "{text}");
        }
        for text in ["1.2.3", "v1", "v1.2.3", "main", "", "stable", "web-1"] {
            assert!(Requirement::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_newest_release_is_taken_by_the_order_of_versions() {
        let tags = ["v1.9.0", "v1.10.0", "v2.0.0-rc.1", "v1", "web-v3.0.0", "web-v3.1.0", "nightly"].map(str::to_owned);
        let newest = |text: &str, like| Requirement::parse(text).unwrap().newest(&tags, like);
        assert_eq!(newest("latest", None), Some("v1.10.0"));
        assert_eq!(newest("~1.9", None), Some("v1.9.0"));
        assert_eq!(newest("^2.0.0-rc", None), Some("v2.0.0-rc.1"));
        assert_eq!(newest("latest", Some("web-v3.0.0")), Some("web-v3.1.0"));
        assert_eq!(newest("^3", None), None);
    }

    #[test]
    fn how_far_a_release_is_from_the_newest_is_counted() {
        let tags = ["v1.0.0", "v1.1.0", "v2.0.0", "v3.0.0-rc.1", "v4", "api-v9.0.0"].map(str::to_owned);
        assert_eq!(newer_than("v1.0.0", &tags), Some(("v2.0.0", 2)));
        assert_eq!(newer_than("v2.0.0-rc.1", &tags), Some(("v3.0.0-rc.1", 2)));
        assert_eq!(newer_than("v1", &tags), Some(("v4", 1)));
        assert_eq!((between("v1.0.0", "v2.0.0", &tags), between("main", "v2.0.0", &tags)), (2, 0));
        assert_eq!((newer_than("v2.0.0", &tags), newer_than("main", &tags)), (None, None));
        assert_eq!((is_older("v1.9.0", "v1.10.0"), is_older("2.0.0", "v1.0.0")), (Some(true), Some(false)));
        assert_eq!((is_older("api-v1.0.0", "v2.0.0"), is_older("main", "v1.0.0")), (None, None));
    }
}
