//! One module for each target.

mod address;
mod base;
mod condition;
mod index;
mod journal;
mod lock;
mod manifest;
mod patch;
mod path;
mod render;
mod structured;
mod text;
mod upgrade;
mod values;

/// Something to fuzz.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Panics where something is wrong with the code that the input reaches.
    pub(crate) run: fn(&[u8]),
    /// Whether its inputs are lines, which are worth copying and moving as they are.
    pub(crate) lines: bool,
}

const fn bytes(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, lines: false }
}

const fn lines(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, lines: true }
}

/// Every target; each has a folder of this name in `corpus`.
pub(crate) const ALL: &[Target] = &[
    bytes("address", address::run),
    bytes("base", base::run),
    bytes("condition", condition::run),
    bytes("index", index::run),
    bytes("path", path::run),
    bytes("render", render::run),
    bytes("secret", render::secret),
    lines("journal", journal::run),
    lines("json", structured::run),
    lines("lock", lock::run),
    lines("manifest", manifest::run),
    lines("patch", patch::run),
    lines("text", text::run),
    lines("toml", structured::run),
    lines("upgrade", upgrade::run),
    lines("values", values::run),
    lines("yaml", structured::run),
];
