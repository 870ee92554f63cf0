//! A process that runs a flow whose state is in a file, or changes such a file.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    num::ParseIntError,
    path::{Path, PathBuf},
};

use steps::{
    State,
    prelude::*,
    state_store::{StateFile, change},
};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--as-child";

/// How many effects the flow has.
pub(crate) const EFFECTS: u32 = 120;

/// How often a child that is not killed changes the file.
pub(crate) const CHANGES: u32 = 25;

/// Where effects are written down, one a line.
pub(crate) struct World {
    effects: PathBuf,
}

#[step]
async fn act(world: &World, number: u32) -> std::io::Result<u32> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&world.effects)?;
    writeln!(file, "{number}")?;
    println!("did {number}");
    Ok(number)
}

#[verify(act)]
async fn was_done(world: &World, number: u32) -> Option<u32> {
    println!("verified {number}");
    let effects = fs::read_to_string(&world.effects).unwrap_or_default();
    effects
        .lines()
        .any(|line| line == number.to_string())
        .then_some(number)
}

#[flow]
async fn acts(world: &World, effects: u32) -> std::io::Result<u32> {
    steps! {
        all = for number in 0..effects by number {
            did = act(world, number);
        }
    }
    Ok(all.iter().map(|item| item.did).sum())
}

pub(crate) fn file(folder: &Path) -> StateFile {
    StateFile::new(folder.join("state.json"))
}

pub(crate) fn effects(folder: &Path) -> PathBuf {
    folder.join("effects")
}

/// The count that children raise.
pub(crate) fn count(state: &State) -> Result<u32, ParseIntError> {
    state
        .labels
        .get("count")
        .map_or(Ok(0), |count| count.parse())
}

fn raise(state: &mut State) -> Result<u32, ParseIntError> {
    let next = count(state)? + 1;
    state.labels.insert("count".to_owned(), next.to_string());
    Ok(next)
}

pub(crate) fn run(role: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let file = file(folder);
    println!("begins");
    runtime.block_on(async {
        if role == "runs" {
            let world = World {
                effects: effects(folder),
            };
            let sum = acts(&world, EFFECTS).stored_in(&file).await;
            assert_eq!(sum.expect("it is done"), EFFECTS * (EFFECTS - 1) / 2);
            println!("done");
            return;
        }
        let mut left = if role == "counts" { CHANGES } else { u32::MAX };
        while left > 0 {
            match change(&file, raise).await {
                Ok(count) => {
                    println!("saved {count}");
                    left -= 1;
                }
                // It has met others too often.
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
    });
}
