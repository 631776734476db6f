//! The `create-app` command.

fn main() {}
