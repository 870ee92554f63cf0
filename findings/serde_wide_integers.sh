#!/usr/bin/env bash
# serde 1.0.229, serde_derive 1.0.229, serde_json 1.0.154
#
# A `u128` or `i128` goes through JSON text and back as it is: alone, in a struct, in
# an enum with the tag outside. Inside an internally tagged enum, an untagged enum or a
# flattened struct it is written without a word, and can't be read: not even 7. What the reader says
# is "u128 is not supported", or for an untagged enum that no variant fits. So such a type compiles,
# serializes, and first fails where the value is wanted back.
#
# Whoever saves values as JSON to go on from them later meets it at the restart. So what is
# saved has to be read back at once; the integer may be saved as text.
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
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = "=1.0.154"

[workspace]
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, Serialize, Deserialize)]
struct Plain {
    wei: u128,
}

#[derive(Debug, Serialize, Deserialize)]
enum Outside {
    Paid { wei: u128 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Inside {
    Paid { wei: u128 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Paid { wei: u128 },
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    plain: Plain,
}

fn through_text<T: Serialize + DeserializeOwned + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("each of them is written");
    match serde_json::from_str::<T>(&text) {
        Ok(read) => println!("{text} -> {read:?}"),
        Err(error) => println!("{text} -> error: {error}"),
    }
}

fn main() {
    through_text(&Plain { wei: 7 });
    through_text(&Plain { wei: u128::MAX });
    through_text(&Outside::Paid { wei: 7 });
    through_text(&Inside::Paid { wei: 7 });
    through_text(&Untagged::Paid { wei: 7 });
    through_text(&Flat { plain: Plain { wei: 7 } });
}
RUST
seen=$(cd "$dir" && cargo run --quiet)
expected='{"wei":7} -> Plain { wei: 7 }
{"wei":340282366920938463463374607431768211455} -> Plain { wei: 340282366920938463463374607431768211455 }
{"Paid":{"wei":7}} -> Paid { wei: 7 }
{"kind":"Paid","wei":7} -> error: u128 is not supported
{"wei":7} -> error: data did not match any variant of untagged enum Untagged
{"wei":7} -> error: u128 is not supported at line 1 column 9'
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with these versions:\n%s\n' "$expected" >&2
    exit 1
fi
