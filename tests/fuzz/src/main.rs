//! The fuzz targets, in one program: the variable `FUZZ_TARGET` names the one to run. A target panics where a law is broken.

#![no_main]

mod diagnostics;
mod files;
mod git;
mod mutate;
mod targets;
mod versions;

use std::sync::OnceLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

use targets::Target;

fn target() -> &'static Target {
    static TARGET: OnceLock<&Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        targets::ALL.iter().find(|target| target.name == name).unwrap_or_else(|| {
            let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
            panic!("FUZZ_TARGET is `{name}`, and should be one of {}", names.join(", "));
        })
    })
}

fuzz_target!(|data: &[u8]| (target().run)(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed, target().lines)
});
