//! Journals: whatever is accepted is what create-app itself writes.

use create_app::digest::Digest;
use create_app::fuzzing;

pub(crate) fn run(data: &[u8]) {
    check(data);
    // With the right digest at its end, so that what is before it is read.
    let body = data.iter().rposition(|&byte| byte == b'\n').map_or(data, |end| &data[..=end]);
    let signed = [body, format!("digest\t{}\n", Digest::of(body)).as_bytes()].concat();
    check(&signed);
}

fn check(bytes: &[u8]) {
    let Some(written) = fuzzing::journal(bytes) else { return };
    assert_eq!(fuzzing::journal(written.as_bytes()).as_ref(), Some(&written), "not what was written");
    let is_step = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) || line.starts_with("index\t");
    for line in written.lines().filter(is_step) {
        let path = line.rsplit('\t').next().unwrap_or_default();
        assert!(path.split('/').all(|name| name != ".."), "{line}");
    }
}
