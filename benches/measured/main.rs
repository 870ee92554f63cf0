//! The source of the README's figures: `cargo xtask bench`, or `cargo bench --bench measured`.
//! `benches/README.md` says what is compared, and has the table.
//!
//! Machines differ, so each figure is compared with a floor, which is the minimal cost of this work
//! on this machine, measured in the same run in alternating turns. The fastest of many samples
//! counts, because other work on the machine can only add time. Words after the command select
//! rows: `cargo bench --bench measured -- json`.
//!
//! `--repeat ten 100` runs the flow of ten steps a hundred times and measures nothing: for valgrind.

mod at_once;
mod flows;
mod go;
mod json;
mod measure;
mod passes;
mod table;

use table::Table;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [option, name, times, ..] = &args[..]
        && option == "--repeat"
    {
        let repeated = times.parse().map(|times| flows::repeat(name, times));
        assert!(
            repeated == Ok(true),
            "--repeat takes floor, ten, hundred, thousand or ten-thousand, and a number"
        );
        return;
    }
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let mut table = Table::new(words);
    flows::rows(&mut table);
    at_once::rows(&mut table);
    passes::rows(&mut table);
    json::rows(&mut table);
    go::rows(&mut table);
    table.finish();
}
