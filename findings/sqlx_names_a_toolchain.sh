#!/usr/bin/env bash
# sqlx 0.9.0, rustup 1.29.0
#
# The published crate holds its developers' `rust-toolchain.toml`, which names Rust 1.94. rustup heeds such a
# file in whatever folder `rustc` is started, and cargo starts it in the folder of the crate that it compiles. A
# build by `cargo` of rustup's is not concerned, as that fixes the toolchain for all that it starts. One by the cargo
# of a toolchain itself is (`rustup which cargo`, `$CARGO` in a build script or a test, an editor that was told that
# path): all crates but this one are compiled by the toolchain in use, and this one by another version, which fails
# as its parts do not fit, or because that version is not installed and may not be.
#
# Whoever builds a program from a test, as with `env!("CARGO")`, meets it when the test program is started by hand.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false }

[workspace]
TOML
echo 'fn main() {}' >"$dir/src/main.rs"
cd "$dir"
# What is not installed stays so.
export RUSTUP_AUTO_INSTALL=0 CARGO_TARGET_DIR=$dir/target
toolchain=$(rustup show active-toolchain | cut -d' ' -f1)
if [[ $toolchain == 1.94-* || $toolchain == 1.94.* ]]; then
    echo 'with 1.94 in use there is nothing to see' >&2
    exit 1
fi
RUSTUP_TOOLCHAIN=$toolchain cargo build --quiet
by_rustup=$?
rm -rf "$dir/target"
by_itself=0
said=$(env -u RUSTUP_TOOLCHAIN "$(rustup which cargo)" build --quiet 2>&1) || by_itself=$?
grep -E "toolchain '1\.94|error\[E0514\]|could not compile .sqlx." <<<"$said" || true
if [[ $by_rustup != 0 || $by_itself == 0 || $said != *'could not compile `sqlx`'* ]]; then
    printf 'this is not what was seen: by rustup %s, by itself %s\n%s\n' "$by_rustup" "$by_itself" "$said" >&2
    exit 1
fi
