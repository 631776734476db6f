//! Adds a member to the text of a workspace's manifest. What is there keeps its formatting and its comments.

use toml_edit::{Array, DocumentMut, Item, RawString, Value};

/// The text with one more member; `None` if the list is not a list of strings, or if it is not certain that nothing else changes.
pub(super) fn with_member(text: &str, member: &str) -> Option<String> {
    let (mark, plain) = text.strip_prefix('\u{feff}').map_or(("", text), |plain| ("\u{feff}", plain));
    // toml_edit makes all line endings one.
    let windows = plain.contains("\r\n");
    let unix = plain.replace("\r\n", "\n");
    if windows && unix.replace('\n', "\r\n") != plain {
        return None;
    }
    let mut document: DocumentMut = unix.parse().ok()?;
    let workspace = document.get_mut("workspace")?.as_table_like_mut()?;
    match workspace.get_mut("members") {
        Some(Item::Value(Value::Array(members))) => insert(members, member)?,
        Some(_) => return None,
        None => {
            let members: Array = [member].into_iter().collect();
            workspace.insert("members", Item::Value(Value::Array(members)));
        }
    }
    let new = document.to_string();
    is_only_longer(&unix, &new, member)
        .then(|| format!("{mark}{}", if windows { new.replace('\n', "\r\n") } else { new }))
}

/// Puts a member into a list: in its place where the list is sorted, else at its end.
fn insert(members: &mut Array, member: &str) -> Option<()> {
    let names: Vec<String> = members.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    let is_sorted = names.is_sorted();
    let at = if is_sorted { names.iter().filter(|name| name.as_str() <= member).count() } else { names.len() };
    let mut value = Value::from(member);
    let Some(last) = names.len().checked_sub(1) else {
        members.push(member);
        return Some(());
    };
    let prefix_of = |members: &Array, at: usize| raw(members.get(at).and_then(|value| value.decor().prefix()));
    let indent = |prefix: &str| prefix.rfind('\n').map(|line| prefix[line..].to_owned());
    let line = indent(&prefix_of(members, at.min(last))).or_else(|| indent(&prefix_of(members, last)));
    if at <= last {
        // A comment in the line of the element before belongs to that one.
        let prefix = prefix_of(members, at);
        let (comment, rest) = prefix.split_at(prefix.find('\n').unwrap_or(0));
        if let Some(line) = &line {
            value.decor_mut().set_prefix(format!("{comment}{line}"));
            members.get_mut(at)?.decor_mut().set_prefix(rest.to_owned());
        } else {
            value.decor_mut().set_prefix(prefix);
            members.get_mut(at)?.decor_mut().set_prefix(" ");
        }
        members.insert_formatted(at, value);
        return Some(());
    }
    let has_comma = members.trailing_comma();
    let end = if has_comma { raw(Some(members.trailing())) } else { raw(members.get(last)?.decor().suffix()) };
    match &line {
        Some(line) => {
            let (comments, end) = end.split_at(end.rfind('\n').unwrap_or(0));
            value.decor_mut().set_prefix(format!("{comments}{line}"));
            if has_comma {
                members.set_trailing(end.to_owned());
            } else {
                members.get_mut(last)?.decor_mut().set_suffix("");
                value.decor_mut().set_suffix(end.to_owned());
            }
        }
        None => {
            value.decor_mut().set_prefix(" ");
            if !has_comma {
                members.get_mut(last)?.decor_mut().set_suffix("");
                value.decor_mut().set_suffix(end);
            }
        }
    }
    members.push_formatted(value);
    Some(())
}

fn raw(text: Option<&RawString>) -> String {
    text.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

/// Whether the only difference of two documents is one more member.
fn is_only_longer(before: &str, after: &str, member: &str) -> bool {
    let parse = |text: &str| text.parse::<toml::Table>().ok();
    let (Some(mut before), Some(mut after)) = (parse(before), parse(after)) else { return false };
    let take = |table: &mut toml::Table| table.get_mut("workspace")?.as_table_mut()?.remove("members");
    let list = |members: Option<toml::Value>| members.and_then(|it| it.as_array().cloned()).unwrap_or_default();
    let (old, new) = (list(take(&mut before)), list(take(&mut after)));
    let added = new.iter().position(|it| it.as_str() == Some(member));
    let rest = added.map(|at| [&new[..at], &new[at + 1..]].concat());
    before == after && rest == Some(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(before: &str, after: &str) {
        assert_eq!(with_member(before, "b").as_deref(), Some(after), "{before}");
        let [before, after] = [before, after].map(|text| format!("\u{feff}{}", text.replace('\n', "\r\n")));
        assert_eq!(with_member(&before, "b"), Some(after));
    }

    #[test]
    fn a_member_is_put_where_it_belongs_and_nothing_else_changes() {
        becomes(
            "[workspace]\nmembers = [\"a\", \"c\"] # two\n",
            "[workspace]\nmembers = [\"a\", \"b\", \"c\"] # two\n",
        );
        becomes("[workspace]\nmembers = [\"z\", \"a\"]\n", "[workspace]\nmembers = [\"z\", \"a\", \"b\"]\n");
        becomes("[workspace]\nmembers = [ \"c\", ]\n", "[workspace]\nmembers = [ \"b\", \"c\", ]\n");
        becomes("[workspace]\nmembers = [ \"a\" ]\n", "[workspace]\nmembers = [ \"a\", \"b\" ]\n");
        becomes("[workspace]\nmembers = []\nx = 1\n", "[workspace]\nmembers = [\"b\"]\nx = 1\n");
        becomes("workspace = { members = ['a'] }\n", "workspace = { members = ['a', \"b\"] }\n");
        becomes("workspace.members = ['a']\n", "workspace.members = ['a', \"b\"]\n");
    }

    #[test]
    fn lists_over_several_lines_keep_their_layout_and_their_comments() {
        becomes(
            "[workspace] # root\nmembers = [\n    # first\n    \"a\", # one\n\n    \"c\", # three\n    # end\n]\n",
            "[workspace] # root\nmembers = [\n    # first\n    \"a\", # one\n    \"b\",\n\n    \"c\", # three\n    # end\n]\n",
        );
        becomes(
            "[workspace]\nmembers = [\n\t\"z\",\n\t\"a\", # one\n]\n",
            "[workspace]\nmembers = [\n\t\"z\",\n\t\"a\", # one\n\t\"b\",\n]\n",
        );
        becomes(
            "[workspace]\nmembers = [\n  \"z\",\n  \"a\"\n]\n",
            "[workspace]\nmembers = [\n  \"z\",\n  \"a\",\n  \"b\"\n]\n",
        );
        becomes("[workspace]\nmembers = [\n  \"c\",\n]\n", "[workspace]\nmembers = [\n  \"b\",\n  \"c\",\n]\n");
    }

    #[test]
    fn a_workspace_without_a_list_gets_one() {
        becomes(
            "[package]\nname = \"x\"\n\n[workspace]\nresolver = \"2\"\n\n[profile.dev]\ndebug = 0\n",
            "[package]\nname = \"x\"\n\n[workspace]\nresolver = \"2\"\nmembers = [\"b\"]\n\n[profile.dev]\ndebug = 0\n",
        );
        let implicit = with_member("[workspace.package]\nedition = \"2021\"\n", "b").unwrap();
        assert!(implicit.contains("[workspace]\nmembers = [\"b\"]\n"), "{implicit}");
    }

    #[test]
    fn what_is_not_certain_is_left() {
        for text in
            ["", "[workspace]\nmembers = 1\n", "[workspace]\nmembers = [1]\n", "workspace = 1\n", "[workspace\n"]
        {
            assert_eq!(with_member(text, "b"), None, "{text}");
        }
        assert_eq!(with_member("[workspace]\r\nmembers = []\n", "b"), None);
    }
}
