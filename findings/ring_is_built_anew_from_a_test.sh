#!/usr/bin/env bash
# ring 0.17.14
#
# The build script of ring tells cargo that it depends on the variables in which cargo says which package is built, such
# as `CARGO_PKG_NAME` and `CARGO_MANIFEST_DIR`. For the script itself cargo sets these to ring's. But whether it has to
# run again is asked of the variables with which cargo itself was started. In a shell there are none; in a program that
# `cargo test` or `cargo run` has started, they are those of that program's package. So a test that calls cargo, to build
# an example or another program with the same target folder, makes ring and all that depends on it (rustls, and whatever
# speaks TLS) be compiled anew, and the next build from the shell does so again.
#
# Taking these variables out of the environment of the inner cargo avoids it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src" "$dir/tests"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
ring = "=0.17.14"

[workspace]
TOML
echo 'pub fn nothing() {}' >"$dir/src/lib.rs"
cat >"$dir/tests/inner.rs" <<'RUST'
use std::process::Command;

/// What cargo says of ring when it is asked to build what is built.
fn told(clean: bool) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--verbose", "--color=never"]);
    for (name, _) in std::env::vars() {
        if clean && (name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| line.contains(" ring v"));
    let line = line.unwrap_or("nothing").trim();
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn inner() {
    let clean = told(true);
    println!("seen: without the variables {clean}, with them {}", told(false));
}
RUST
cd "$dir"
export CARGO_TARGET_DIR=$dir/target
cargo build --quiet
seen=$(cargo test --quiet --test inner -- --nocapture 2>/dev/null | grep -o 'seen: .*')
echo "$seen"
if [[ $seen != 'seen: without the variables Fresh, with them Dirty' ]]; then
    echo 'this is not what was seen with this version' >&2
    exit 1
fi
