//! Mutations of lines, beside libFuzzer's own ones of bytes: what is merged, or read line by line, is seldom changed by a
//! byte in a way that matters.

use libfuzzer_sys::fuzzer_mutate;

/// Changes `data`, of which `size` bytes are used; returns how many are used then.
pub(crate) fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, by_lines: bool) -> usize {
    let mut random = Random(u64::from(seed) | 1 << 40);
    if !by_lines || random.below(3) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut lines: Vec<Vec<u8>> = data[..size].split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=random.below(3) {
        change(&mut lines, &mut random);
    }
    let changed = lines.concat();
    if changed.is_empty() || changed.len() > max_size.min(data.len()) || changed == data[..size] {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

fn change(lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    if lines.is_empty() {
        return;
    }
    let [one, other] = [random.below(lines.len()), random.below(lines.len())];
    match random.below(8) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one].clone()),
        2 => lines.swap(one, other),
        3 => lines[one] = lines[other].clone(),
        // A few lines together, such as a block or an element.
        4 => {
            let end = (one + 1 + random.below(6)).min(lines.len());
            let block = lines[one..end].to_vec();
            lines.splice(other..other, block);
        }
        5 => {
            let end = (one + 1 + random.below(6)).min(lines.len());
            drop(lines.drain(one..end));
        }
        6 => join(lines, one, random),
        _ => word(&mut lines[one], random),
    }
}

/// Another line ending, or none.
fn join(lines: &mut [Vec<u8>], at: usize, random: &mut Random) {
    let line = &mut lines[at];
    while line.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        line.pop();
    }
    line.extend_from_slice([&b"\r\n"[..], b"\r", b"\n", b""][random.below(4)]);
}

/// One letter or digit becomes another one, so that the line is a new one of the same kind.
fn word(line: &mut [u8], random: &mut Random) {
    let places: Vec<usize> = (0..line.len()).filter(|&at| line[at].is_ascii_alphanumeric()).collect();
    if !places.is_empty() {
        line[places[random.below(places.len())]] = b"abcdexyz01289"[random.below(13)];
    }
}

/// A small generator: the same seed has to give the same mutation.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }
}
