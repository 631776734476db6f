//! Rebuilds when a file is added to or removed from the embedded template: the macro that embeds it sees changes only.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
fn main() {
    println!("cargo::rerun-if-changed=template");
}
