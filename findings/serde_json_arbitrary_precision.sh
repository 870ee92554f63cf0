#!/usr/bin/env bash
# serde 1.0.229, serde_json 1.0.154 with its feature `arbitrary_precision`
#
# Features are the whole program's: any crate of it may switch `arbitrary_precision` on for all. An
# `f64` is then still written and read as before, but not inside an internally tagged enum, an
# untagged enum or a flattened struct: 1.5 is written as 1.5, and the reader says "invalid type: map,
# expected f64". Whole numbers are read. Records that the same program wrote before the dependency
# was added stop being readable with it.
#
# Whoever saves values as JSON to go on from them later meets it when a dependency comes in: at the
# restart, if what is saved is not read back at once.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
manifest() {
    local feature=$1
    cat >"$dir/Cargo.toml" <<TOML
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = { version = "=1.0.154", features = [$feature] }

[workspace]
TOML
}
cat >"$dir/src/main.rs" <<'RUST'
use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, Serialize, Deserialize)]
struct Plain {
    price: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Inside {
    Paid { price: f64 },
    Sold { count: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Paid { price: f64 },
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
    through_text(&Plain { price: 1.5 });
    through_text(&Inside::Paid { price: 1.5 });
    through_text(&Inside::Sold { count: 15 });
    through_text(&Untagged::Paid { price: 1.5 });
    through_text(&Flat { plain: Plain { price: 1.5 } });
}
RUST
seen=$(
    cd "$dir"
    manifest ''
    echo 'without the feature'
    cargo run --quiet
    manifest '"arbitrary_precision"'
    echo 'with it'
    cargo run --quiet
)
expected='without the feature
{"price":1.5} -> Plain { price: 1.5 }
{"kind":"Paid","price":1.5} -> Paid { price: 1.5 }
{"kind":"Sold","count":15} -> Sold { count: 15 }
{"price":1.5} -> Paid { price: 1.5 }
{"price":1.5} -> Flat { plain: Plain { price: 1.5 } }
with it
{"price":1.5} -> Plain { price: 1.5 }
{"kind":"Paid","price":1.5} -> error: invalid type: map, expected f64
{"kind":"Sold","count":15} -> Sold { count: 15 }
{"price":1.5} -> error: data did not match any variant of untagged enum Untagged
{"price":1.5} -> error: invalid type: map, expected f64 at line 1 column 13'
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with these versions:\n%s\n' "$expected" >&2
    exit 1
fi
