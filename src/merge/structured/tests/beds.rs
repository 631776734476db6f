//! Workflows and compose files, edited by key at random and written by random hands: what must come of them is the base with
//! the edits of both. It shares no code with the merge.

use proptest::prelude::*;
use serde_yaml_ng::{self as yaml, Value};

use super::text;
use crate::merge::draw::{Style, has_markers};
use crate::merge::oracle;

const WORKFLOW: &str = "\
name: CI
on:
  push:
    branches: [main, 'release/**']
    paths-ignore: ['**.md']
  pull_request:
  schedule:
    - cron: '0 4 * * 1'
permissions:
  contents: read
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true
env:
  FORCE_COLOR: '1'
  NODE: 20
jobs:
  test:
    name: Test on ${{ matrix.os }}
    runs-on: ${{ matrix.os }}
    timeout-minutes: 20
    strategy:
      fail-fast: false
      matrix:
        os: [ubuntu-latest, macos-latest]
        python: ['3.9', '3.10']
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - name: Set up
        uses: actions/setup-node@v4
        with:
          node-version: '20'
          cache: npm
      - name: Test
        if: \"success() && 'x: y' != '# z'\"
        run: |
          npm ci
          npm test

          echo \"done\"
        env:
          CI: 'yes'
  lint:
    needs: [test]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm run lint
";

const COMPOSE: &str = "\
services:
  web:
    image: example/web:1
    restart: 'no'
    depends_on: [db, cache]
    ports: ['80:80', '443:443']
    environment:
      LOG: debug
      PORT: '8080'
      EMPTY:
    command: [serve, --port, '8080']
    healthcheck:
      test: [CMD, curl, -f, http://localhost]
      interval: 30s
    volumes:
      - ./data:/data
      - type: bind
        source: ./conf
        target: /conf
    deploy:
      replicas: 2
      resources:
        limits: {cpus: '0.5', memory: 128M}
  db:
    image: postgres:16
    user: \"1000\"
    volumes:
      - db:/var/lib/postgresql/data
  cache:
    image: redis
volumes:
  db: {}
networks:
  default:
    driver: bridge
x-script: |-
  #!/bin/sh
  exit 0
";

/// How a version is written.
#[derive(Debug, Clone, Copy)]
struct Hand {
    indent: usize,
    has_deep_lists: bool,
    has_flow_lists: bool,
    quotes: u8,
    is_sorted: bool,
}

const PLAIN: Hand = Hand { indent: 2, has_deep_lists: true, has_flow_lists: true, quotes: b'\'', is_sorted: false };

impl Hand {
    fn of(bits: u8) -> Self {
        Self {
            indent: if bits & 1 == 0 { 2 } else { 4 },
            has_deep_lists: bits & 2 == 0,
            has_flow_lists: bits & 4 == 0,
            quotes: if bits & 8 == 0 { b'\'' } else { b'"' },
            is_sorted: bits & 48 == 0,
        }
    }

    fn write(self, root: &Value) -> String {
        let mut out = String::new();
        self.value(root, "", 0, &mut out);
        out.trim_start().to_owned()
    }

    /// A value after its key or dash; `depth` is the column of what is within it.
    fn value(self, value: &Value, path: &str, column: usize, out: &mut String) {
        match value {
            Value::Mapping(map) if !map.is_empty() => {
                let is_element = out.ends_with("- ");
                let mut keys: Vec<&str> = map.keys().map(|key| key.as_str().unwrap()).collect();
                if self.is_sorted {
                    keys.sort_unstable();
                }
                for (at, key) in keys.into_iter().enumerate() {
                    let path = format!("{path}/{key}");
                    if at > 0 || !is_element {
                        *out += "\n";
                        if is_commented(&path) && !is_element {
                            *out += &format!("{:column$}# about {path}\n", "");
                        }
                        *out += &" ".repeat(column);
                    }
                    *out += &format!("{key}:");
                    let is_list = matches!(&map[key], Value::Sequence(_));
                    let deeper = if is_list && !self.has_deep_lists { 0 } else { self.indent };
                    self.value(&map[key], &path, column + deeper, out);
                }
            }
            Value::Sequence(list) if !list.is_empty() => {
                let items: Vec<String> = list.iter().filter_map(|item| self.scalar(item)).collect();
                if self.has_flow_lists && items.len() == list.len() {
                    *out += &format!(" [{}]", items.join(", "));
                    return;
                }
                for item in list {
                    *out += &format!("\n{:column$}- ", "");
                    match self.scalar(item) {
                        Some(text) => *out += &text,
                        None => self.value(item, &format!("{path}/{}", identity(item)), column + 2, out),
                    }
                }
            }
            Value::String(text) if text.contains('\n') => {
                *out += if text.ends_with('\n') { " |" } else { " |-" };
                for line in text.lines() {
                    let margin = if line.is_empty() { 0 } else { column };
                    *out += &format!("\n{:margin$}{line}", "");
                }
            }
            Value::Mapping(_) => *out += " {}",
            Value::Sequence(_) => *out += " []",
            Value::Null => {}
            scalar => *out += &format!(" {}", self.scalar(scalar).unwrap()),
        }
    }

    fn scalar(self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) if text.contains('\n') => None,
            Value::String(text) => {
                let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_/@.".contains(c));
                let is_text = yaml::from_str::<Value>(text).is_ok_and(|value| value.is_string());
                let is_word = ["yes", "no", "on", "off"].contains(&text.as_str());
                Some(match is_plain && is_text && !is_word && text.starts_with(char::is_alphabetic) {
                    true => text.clone(),
                    false if self.quotes == b'"' => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                    false => format!("'{}'", text.replace('\'', "''")),
                })
            }
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(boolean) => Some(boolean.to_string()),
            _ => None,
        }
    }
}

/// A third of the keys that are on lines of their own has a comment.
fn is_commented(path: &str) -> bool {
    path.bytes().map(usize::from).sum::<usize>().is_multiple_of(3)
}

/// The identity of an element of this list.
fn identity(item: &Value) -> String {
    let known = ["cron", "target", "name", "uses", "run"].iter().find_map(|key| item.get(*key));
    match known.unwrap_or(item) {
        Value::String(text) => text.split('@').next().unwrap_or_default().replace('/', "~"),
        other => format!("{other:?}"),
    }
}

/// A change of one place.
#[derive(Debug, Clone)]
struct Edit {
    /// The container: keys, and the identities of elements.
    container: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Set(String, Value),
    Delete(String),
    /// Adds a key, or an element.
    Add(String, usize, Value),
}

/// Each container of a document, by its path.
fn containers(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Mapping(map) if !map.is_empty() => {
            visit(path, value);
            map.iter().for_each(|(key, value)| containers(value, &format!("{path}/{}", key.as_str().unwrap()), visit));
        }
        Value::Sequence(list) if !list.is_empty() => {
            visit(path, value);
            list.iter().for_each(|item| containers(item, &format!("{path}/{}", identity(item)), visit));
        }
        _ => {}
    }
}

fn find<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let Some((first, rest)) = path.strip_prefix('/').map(|path| path.split_once('/').unwrap_or((path, ""))) else {
        return Some(value);
    };
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    let inner = match value {
        Value::Mapping(map) => map.get_mut(first)?,
        Value::Sequence(list) => list.iter_mut().find(|item| identity(item) == first)?,
        _ => return None,
    };
    find(inner, &rest)
}

/// A random edit from three numbers; `None` if it would change what an element is known by.
fn edit(root: &Value, [place, what, number]: [usize; 3], who: &str) -> Option<Edit> {
    let mut all = Vec::new();
    containers(root, "", &mut |path, value| all.push((path.to_owned(), value.clone())));
    let (container, value) = all.swap_remove(place % all.len());
    // These are one value.
    if container.ends_with("/healthcheck/test") || container.ends_with("/command") {
        return None;
    }
    let texts = ["on", "3.10", "a, b", "x # y", "it's", "plain", "say \"x\"", "- x", "one\ntwo\n"];
    let new = match number % 11 {
        9 => Value::Number(number.into()),
        10 => Value::Sequence(vec!["p".into(), "q".into()]),
        at => texts[at].into(),
    };
    let what = match &value {
        Value::Mapping(map) => {
            let keys: Vec<&str> = map.keys().filter_map(Value::as_str).collect();
            let key = keys[number % keys.len()].to_owned();
            let is_name = ["name", "uses", "run", "cron", "target", "type", "source", "id"].contains(&key.as_str());
            match what % 3 {
                0 if !is_name && !map[key.as_str()].is_mapping() && !map[key.as_str()].is_sequence() => {
                    What::Set(key, new)
                }
                1 if !is_name && map.len() > 1 => What::Delete(key),
                2 => What::Add(format!("{who}{number}"), number, new),
                _ => return None,
            }
        }
        Value::Sequence(list) => {
            let item = identity(&list[number % list.len()]);
            let name = format!("{who}{number}");
            match what % 3 {
                0 if list.len() > 1 => What::Delete(item),
                _ if list.iter().all(Value::is_string) => What::Add(name.clone(), number, name.into()),
                _ if list.iter().all(Value::is_mapping) => {
                    let key = if container.ends_with("/schedule") { "cron" } else { "name" };
                    let map = [(key, Value::from(name.clone())), ("run", new)].into_iter();
                    What::Add(name, number, Value::Mapping(map.map(|(key, value)| (key.into(), value)).collect()))
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Edit { container, what })
}

impl Edit {
    /// The place that must be the same on the other side.
    fn touched(&self) -> String {
        match &self.what {
            What::Set(key, _) | What::Delete(key) => format!("{}/{key}", self.container),
            What::Add(..) => self.container.clone(),
        }
    }

    /// Whether both can be had, and in one way only.
    fn is_apart_from(&self, other: &Self, root: &Value) -> bool {
        let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
        let is_gone = |one: &Self, other: &Self| {
            matches!(one.what, What::Delete(_) | What::Set(..)) && within(&other.touched(), &one.touched())
        };
        let is_list = find(&mut root.clone(), &self.container).is_some_and(|value| value.is_sequence());
        let in_one_list = is_list && self.container == other.container;
        !(is_gone(self, other) || is_gone(other, self) || in_one_list)
    }

    fn apply(&self, root: &mut Value) {
        match (find(root, &self.container), &self.what) {
            (Some(Value::Mapping(map)), What::Set(key, value) | What::Add(key, _, value)) => {
                map.insert(key.as_str().into(), value.clone());
            }
            (Some(Value::Mapping(map)), What::Delete(key)) => drop(map.shift_remove(key.as_str())),
            (Some(Value::Sequence(list)), What::Delete(key)) => list.retain(|item| identity(item) != *key),
            (Some(Value::Sequence(list)), What::Add(_, at, value)) => list.insert(at % (list.len() + 1), value.clone()),
            _ => {}
        }
    }
}

type Numbers = Vec<[usize; 3]>;

fn numbers() -> impl Strategy<Value = Numbers> {
    prop::collection::vec([0..1_000_usize, 0..1_000_usize, 0..1_000_usize], 1..5)
}

/// The comments of a text, each with the key on the line below it.
fn commented(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix("# about ")?, pair[1])));
    let mut all: Vec<_> =
        pairs.map(|(path, line)| (path.to_owned(), line.split(':').next().unwrap().to_owned())).collect();
    all.sort();
    all
}

/// Merges random edits of both; returns how many merges were clean, and how many were not.
fn run(path: &str, bed: &str, hands: fn(u8) -> [Hand; 3]) -> [usize; 2] {
    let base: Value = yaml::from_str(bed).unwrap();
    let cases = oracle::sample(&(numbers(), numbers(), any::<u8>()), oracle::cases(200));
    let mut tally = [0, 0];
    for (ours, theirs, bits) in cases {
        let all = |numbers: &Numbers, who: &str| -> Vec<Edit> {
            let mut all: Vec<Edit> = Vec::new();
            for edit in numbers.iter().filter_map(|numbers| edit(&base, *numbers, who)) {
                if all.iter().all(|other| edit.is_apart_from(other, &base)) {
                    all.push(edit);
                }
            }
            all
        };
        let ours = all(&ours, "o");
        let mut theirs = all(&theirs, "t");
        theirs.retain(|edit| ours.iter().all(|other| edit.is_apart_from(other, &base)));
        let applied = |edits: &[&[Edit]]| {
            let mut root = base.clone();
            edits.iter().copied().flatten().for_each(|edit| edit.apply(&mut root));
            root
        };
        let roots = [applied(&[]), applied(&[&ours]), applied(&[&theirs])];
        let written: Vec<String> = roots.iter().zip(hands(bits)).map(|(root, hand)| hand.write(root) + "\n").collect();
        let merged = text(path, Some(&written[0]), &written[1], &written[2], Style::Merge);
        let context = || format!("{}\n---- merged\n{merged}", written.join("\n----\n"));
        if has_markers(merged.as_bytes()) {
            tally[1] += 1;
            continue;
        }
        tally[0] += 1;
        let expected = applied(&[&ours, &theirs]);
        let found: Value = yaml::from_str(&merged).unwrap_or_else(|problem| panic!("{problem}: {}", context()));
        assert_eq!(found, expected, "{}", context());
        assert_eq!(commented(&merged), commented(&PLAIN.write(&expected)), "{}", context());
    }
    tally
}

fn check(hands: fn(u8) -> [Hand; 3]) {
    for (path, bed) in [(".github/workflows/ci.yml", WORKFLOW), ("compose.yml", COMPOSE)] {
        let [clean, needless] = run(path, bed, hands);
        assert!(needless * 100 <= 2 * (clean + needless), "{path}: {needless} needless, {clean} clean");
    }
}

#[test]
fn workflows_and_compose_files_merge_by_key() {
    check(|_| [PLAIN; 3]);
}

#[test]
fn those_that_the_user_writes_in_another_way_do_too() {
    check(|bits| [PLAIN, Hand::of(bits), PLAIN]);
}

#[test]
fn those_that_the_template_writes_in_another_way_do_too() {
    check(|bits| [PLAIN, PLAIN, Hand::of(bits)]);
}
