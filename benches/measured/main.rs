//! What the README's figures come from: `cargo xtask bench`, or `cargo bench --bench measured`.
//! `benches/README.md` says what is compared, and has the table.
//!
//! Machines differ, so each figure stands beside a floor measured in the same run, in turns with
//! it: the least that this work could cost here. The fastest of many samples counts, as whatever
//! else the machine does only adds. Words after the command choose rows: `cargo bench --bench
//! measured -- json`.
mod flows;
mod go;
mod json;
mod measure;
mod passes;
mod table;

use table::Table;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let mut table = Table::new(words);
    flows::rows(&mut table);
    passes::rows(&mut table);
    json::rows(&mut table);
    go::rows(&mut table);
    table.finish();
}
