//! Inputs of several parts, with a line `%%` between them.

const SEPARATOR: &[u8] = b"\n%%\n";

/// The parts of an input; the line feed before a separator belongs to the separator.
pub(crate) fn parts(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    parts.push(rest);
    parts
}

/// The first parts; those that are not there are empty.
pub(crate) fn first<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let parts = parts(data);
    std::array::from_fn(|at| parts.get(at).copied().unwrap_or_default())
}
