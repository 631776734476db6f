//! Builds the setting of a case, step by step.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use fs_err as fs;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params};
use sha2::{Digest as _, Sha256};

use super::case::{Case, Content, Piece, Step};
use super::sandbox::{self, RAN, Sandbox, Standard};

/// Builds what a case describes.
pub(crate) fn build(case: &Case, standard: &Standard) -> Sandbox {
    let mut sandbox = Sandbox::new();
    match &case.template {
        None => standard.copy(case.project, &sandbox),
        Some(files) => {
            fs::create_dir(sandbox.path("template")).unwrap();
            for (name, content) in files {
                sandbox.write(&format!("template/{}", sandbox.filled(name)), &bytes(&sandbox, content));
            }
            sandbox.make(case.project);
        }
    }
    steps(&mut sandbox, &case.build);
    // Git itself may have run it while the trap was set.
    drop(std::fs::remove_file(sandbox.path(RAN)));
    sandbox
}

fn steps(sandbox: &mut Sandbox, steps: &[Step]) {
    steps.iter().for_each(|step| self::step(sandbox, step));
}

fn step(sandbox: &mut Sandbox, step: &Step) {
    let at = |name: &str| {
        let path = sandbox.path(&sandbox.filled(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    match step {
        Step::Write(name, content) => fs::write(at(name), bytes(sandbox, content)).unwrap(),
        Step::Append(name, content) => {
            let mut file = fs::OpenOptions::new().append(true).open(at(name)).unwrap();
            file.write_all(&bytes(sandbox, content)).unwrap();
        }
        Step::Replace(name, from, to) => replace(sandbox, name, &sandbox.filled(from), &sandbox.filled(to)),
        Step::Link(name, target) => fs::os::unix::fs::symlink(sandbox.filled(target), at(name)).unwrap(),
        Step::HardLink(name, file) => fs::hard_link(at(file), at(name)).unwrap(),
        Step::Fifo(name) => nix::unistd::mkfifo(&at(name), nix::sys::stat::Mode::S_IRWXU).unwrap(),
        Step::Socket(name) => drop(std::os::unix::net::UnixListener::bind(at(name)).unwrap()),
        Step::Directory(name) => fs::create_dir_all(at(name)).unwrap(),
        Step::Sparse(name, size) => fs::File::create(at(name)).unwrap().set_len(*size).unwrap(),
        Step::Mode(name, mode) => fs::set_permissions(at(name), std::fs::Permissions::from_mode(*mode)).unwrap(),
        Step::Remove(name) => remove(&at(name)),
        Step::Rename(from, to) => fs::rename(at(from), at(to)).unwrap(),
        Step::Git(directory, words) => drop(git(sandbox, directory, words, b"")),
        Step::GitReads(directory, words, content) => drop(git(sandbox, directory, words, &bytes(sandbox, content))),
        Step::Ask(name, directory, words) => {
            let answer = git(sandbox, directory, words, b"").trim().to_owned();
            sandbox.variables.insert(name.clone(), answer);
        }
        Step::AskReads(name, directory, words, content) => {
            let answer = git(sandbox, directory, words, &bytes(sandbox, content)).trim().to_owned();
            sandbox.variables.insert(name.clone(), answer);
        }
        Step::App(words) => sandbox.app(&shell_words::split(&sandbox.filled(words)).unwrap()),
        Step::Killed(words, step) => sandbox.killed(&shell_words::split(&sandbox.filled(words)).unwrap(), *step),
        Step::Copy(from, to) => sandbox::copy(&at(from), &at(to)),
        Step::Bomb(file, zeros, digest) => bomb(sandbox, file, *zeros, digest),
        Step::LooseZeros(repository, zeros, id) => {
            let (directory, name) = id.split_at(2);
            let path = at(&format!("{repository}/.git/objects/{directory}/{name}"));
            deflate_zeros(&mut fs::File::create(path).unwrap(), format!("blob {zeros}\0").as_bytes(), *zeros);
        }
        Step::Signed(name, content) => {
            let mut text = bytes(sandbox, content);
            let digest = hex(&Sha256::digest(&text));
            text.extend_from_slice(format!("digest\t{digest}\n").as_bytes());
            fs::write(at(name), text).unwrap();
        }
        Step::Repeat(times, inner) => {
            for round in 0..*times {
                sandbox.variables.insert("i".into(), round.to_string());
                steps(sandbox, inner);
            }
        }
    }
}

fn git(sandbox: &Sandbox, directory: &str, words: &str, input: &[u8]) -> String {
    let words = shell_words::split(&sandbox.filled(words)).unwrap();
    sandbox.git(&sandbox.filled(directory), &words, input)
}

fn remove(path: &std::path::Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

fn replace(sandbox: &Sandbox, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(sandbox.path(name)).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` in {name}:\n{text}");
    fs::write(sandbox.path(name), text.replace(from, to)).unwrap();
}

fn bytes(sandbox: &Sandbox, content: &Content) -> Vec<u8> {
    match content {
        Content::Text(text) => sandbox.filled(text).into_bytes(),
        Content::Pieces(pieces) => pieces.iter().flat_map(|piece| self::piece(sandbox, piece)).collect(),
    }
}

fn piece(sandbox: &Sandbox, piece: &Piece) -> Vec<u8> {
    match piece {
        Piece::Text(text) => sandbox.filled(text).into_bytes(),
        Piece::Repeated { text, times } => {
            let text = sandbox.filled(text);
            if !text.contains("@n") {
                return text.repeat(*times).into_bytes();
            }
            let round = |n: usize| text.replace("@n@", &n.to_string()).replace("@n64@", &format!("{n:064x}"));
            (0..*times).map(round).collect::<String>().into_bytes()
        }
        Piece::Hex { hex } => {
            let digits: Vec<u8> =
                hex.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
            digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Lets the record say that a file was rendered as so many zero bytes.
fn bomb(sandbox: &Sandbox, file: &str, zeros: u64, digest: &str) {
    let lock = fs::read_to_string(sandbox.path("app/.create-app/lock.toml")).unwrap();
    let line = lock.lines().find(|line| line.starts_with(&format!("\"{file}\" = "))).unwrap();
    let lock = lock.replace(line, &format!("\"{file}\" = \"100644 {digest}\""));
    fs::write(sandbox.path("app/.create-app/lock.toml"), lock).unwrap();
    let mut out = fs::File::create(sandbox.path(&format!("app/.create-app/base/{digest}"))).unwrap();
    deflate_zeros(&mut out, b"", zeros);
}

/// Writes what inflates to a head and so many zero bytes: a block of them is deflated once, and repeated.
fn deflate_zeros(out: &mut fs::File, head: &[u8], zeros: u64) {
    const BLOCK: usize = 1 << 20;
    let (blocks, rest) = (zeros / BLOCK as u64, usize::try_from(zeros % BLOCK as u64).unwrap());
    // Without a header, so that blocks can be put one behind the other; the header and the checksum come from here.
    let deflate = |bytes: &[u8], flush| {
        let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(6, 0, 0));
        let mut out = Vec::new();
        compress_to_output(&mut compressor, bytes, flush, |part| {
            out.extend_from_slice(part);
            true
        });
        out
    };
    out.write_all(&[0x78, 0x9c]).unwrap();
    let block = vec![0; BLOCK];
    out.write_all(&deflate(head, TDEFLFlush::Full)).unwrap();
    let deflated = deflate(&block, TDEFLFlush::Full);
    (0..blocks).for_each(|_| out.write_all(&deflated).unwrap());
    out.write_all(&deflate(&block[..rest], TDEFLFlush::Finish)).unwrap();
    // Of Adler-32's two sums, zeros leave the first as it is, and each adds it to the second.
    let adler = u64::from(adler2::adler32_slice(head));
    let (first, second) = (adler & 0xffff, adler >> 16);
    let second = (second + first * (zeros % 65_521)) % 65_521;
    out.write_all(&u32::try_from(second << 16 | first).unwrap().to_be_bytes()).unwrap();
}
