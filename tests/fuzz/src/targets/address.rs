//! Addresses: what git is given is never an option, and never names a program.

use std::path::Path;

use create_app::fuzzing;
use create_app::fuzzing::without_credentials;
use create_app::source::Address;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (parent, url) = text.split_once('\n').unwrap_or((text, "../other.git"));
    drop(without_credentials(parent));
    for address in [Address::parse(parent), Address::given(parent, |_| false)].into_iter().flatten() {
        judge(&address);
        if let Some(submodule) = fuzzing::submodule(&address, url) {
            judge(&submodule);
            let is_local = |address: &Address| match address {
                Address::Path(_) => true,
                Address::Url { full, .. } => full.starts_with("file://"),
            };
            assert!(is_local(&address) || !is_local(&submodule), "{address:?} leads to {submodule:?}");
        }
    }
}

fn judge(address: &Address) {
    let argument = address.argument(Path::new("/base")).into_string().unwrap();
    assert!(!argument.contains(char::is_control), "{argument:?}");
    assert!(!argument.starts_with('-') && !argument.is_empty(), "an option: {argument:?}");
    if let Address::Path(_) = address {
        assert!(argument.starts_with('/'), "{argument:?}");
        return;
    }
    // `helper::address` runs `git-remote-helper`.
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
    let helper = argument.split_once("::").is_some_and(|(name, _)| is_name(name));
    assert!(!helper, "a program: {argument:?}");
    if let Some((scheme, rest)) = argument.split_once("://").filter(|(scheme, _)| is_name(scheme)) {
        assert!(["https", "http", "ssh", "git", "file"].contains(&scheme), "a program: {argument:?}");
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        assert!(!authority.starts_with('-') && !host.starts_with('-'), "an option of ssh: {argument:?}");
        let shown = address.to_string();
        if scheme != "file" && authority.contains('@') {
            let shown = shown.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default();
            assert!(
                !shown.contains('@') || scheme == "ssh" && !shown.contains(':') || shown.ends_with(host),
                "{shown}"
            );
        }
    }
    let shown = address.to_string();
    assert_eq!(Address::parse(&shown).map(|again| again.to_string()), Ok(shown), "of {argument:?}");
    drop(address.repository());
}
