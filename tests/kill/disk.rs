//! What is on a disk after the power was cut.
//!
//! Of each file, what was written before its last sync began is there. Of what was written since,
//! each write is there, or is not, or is there in part (the disk writes blocks of 512 bytes, in any
//! order), or left something else in its blocks: each at random. Where a lost write is
//! followed by one behind it that was kept, there are zeros between them.
//!
//! That a file exists, or was removed, is taken to be on disk at once; SQLite syncs the folder where
//! its safety depends on it. Shared memory (`-shm`) is lost, as it always is.

use std::collections::BTreeMap;

use crate::{
    random::Random,
    trace::{Call, Op},
};

/// What the disk writes whole or not at all, or spoils.
const BLOCK: usize = 512;

/// The files of one database, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
    /// How long the log was.
    pub(crate) log: u64,
}

#[derive(Clone, Debug, Default)]
struct File {
    safe: Vec<u8>,
    /// What was done since, and which call each was.
    open: Vec<(usize, Op)>,
}

impl Disk {
    /// After one more call.
    pub(crate) fn take(&mut self, number: usize, call: &Call) {
        if call.file == "log" {
            if let Op::Append(bytes) = call.what {
                self.log += bytes;
            }
            return;
        }
        if !call.file.starts_with("steps.db") || call.file.ends_with("-shm") {
            return;
        }
        if matches!(call.what, Op::Unlink) {
            self.files.remove(&call.file);
            return;
        }
        let file = self.files.entry(call.file.clone()).or_default();
        match &call.what {
            Op::Sync(before) => {
                let synced = file.open.partition_point(|(number, _)| number < before);
                for (_, op) in file.open.drain(..synced) {
                    apply(&mut file.safe, &op);
                }
            }
            op => file.open.push((number, op.clone())),
        }
    }

    /// Whether something was written to this file, and not synced.
    pub(crate) fn is_open(&self, file: &str) -> bool {
        let file = self.files.get(file);
        file.is_some_and(|file| !file.open.is_empty())
    }

    /// What is found when the power is back.
    pub(crate) fn cut(&self, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let cut = |(name, file): (&String, &File)| {
            let mut bytes = file.safe.clone();
            for (_, op) in &file.open {
                spoil(&mut bytes, op, random);
            }
            (name.clone(), bytes)
        };
        self.files.iter().map(cut).collect()
    }
}

fn apply(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Write(at, data) => {
            let at = usize::try_from(*at).expect("a file that fits into memory");
            if bytes.len() < at + data.len() {
                bytes.resize(at + data.len(), 0);
            }
            bytes[at..at + data.len()].copy_from_slice(data);
        }
        Op::Truncate(length) => {
            let length = usize::try_from(*length).expect("a file that fits into memory");
            bytes.resize(length, 0);
        }
        Op::Append(_) | Op::Sync(_) | Op::Unlink => {}
    }
}

/// Applies, at random, a part of a write that was not synced.
fn spoil(bytes: &mut Vec<u8>, op: &Op, random: &mut Random) {
    match (random.within(0..4), op) {
        (0, _) => {}
        (1, _) | (_, Op::Truncate(_)) => apply(bytes, op),
        (how, Op::Write(at, data)) => {
            let mut at = *at;
            let mut data = &data[..];
            while !data.is_empty() {
                // Up to the next border of a block.
                let used = usize::try_from(at).expect("a file that fits into memory") % BLOCK;
                let (block, rest) = data.split_at(data.len().min(BLOCK - used));
                match random.within(0..2) {
                    0 => apply(bytes, &Op::Write(at, block.to_vec())),
                    _ if how == 2 => {}
                    _ => {
                        let garbage = block.iter().map(|_| random.next().to_le_bytes()[0]);
                        apply(bytes, &Op::Write(at, garbage.collect()));
                    }
                }
                at += u64::try_from(block.len()).expect("a block");
                data = rest;
            }
        }
        _ => {}
    }
}
