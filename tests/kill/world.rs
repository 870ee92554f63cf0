//! The world that steps work on: the log. What is in it has happened, and a `#[verify]` looks there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    log::{Log, What, records},
    random::{Random, digest},
    target::{Point, Target},
};

/// A step that fails as it was to.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0} breaks, as it was to")]
pub(crate) struct Broken(String);

/// The log, and what was read of it. Clones share it.
#[derive(Clone)]
pub(crate) struct World {
    log: Log,
    target: Target,
    seen: Arc<Mutex<Seen>>,
    /// Makes the short pauses within steps differ.
    pauses: Arc<AtomicU64>,
}

#[derive(Default)]
struct Seen {
    /// Up to where the log was read.
    end: u64,
    /// The value of each effect that is there, by `execution/path`.
    there: HashMap<String, u64>,
    /// How often each has failed: steps, and undos after a `!`.
    failed: HashMap<String, u64>,
}

/// The value that a step's effect has: by it an output is known to be that step's.
pub(crate) fn value(key: &str) -> u64 {
    digest(key) % 10_000
}

impl World {
    pub(crate) fn new(log: Log, target: Target) -> Self {
        Self {
            log,
            target,
            seen: Arc::default(),
            pauses: Arc::default(),
        }
    }

    /// A step's effect.
    pub(crate) async fn act(&self, key: &str, value: u64) -> u64 {
        let (execution, path) = split(key);
        self.log.mark(What::Begin, execution, path);
        self.pause().await;
        self.target.at(Point::Step);
        self.happen(execution, path, value);
        self.pause().await;
        self.log.mark(What::End, execution, path);
        value
    }

    /// The same, for a step that holds its thread.
    pub(crate) fn act_blocking(&self, key: &str, value: u64) -> u64 {
        let (execution, path) = split(key);
        self.log.mark(What::Begin, execution, path);
        std::thread::sleep(self.length());
        self.happen(execution, path, value);
        self.log.mark(What::End, execution, path);
        value
    }

    /// An effect whose answer is lost on the way back.
    pub(crate) async fn act_and_break(&self, key: &str, value: u64) -> Broken {
        let (execution, path) = split(key);
        self.log.mark(What::Begin, execution, path);
        self.happen(execution, path, value);
        self.pause().await;
        self.breaks(key)
    }

    fn happen(&self, execution: &str, path: &str, value: u64) {
        self.log
            .safe(What::Did, execution, &format!("{path} {value}"));
    }

    /// A failure with no effect.
    pub(crate) fn breaks(&self, key: &str) -> Broken {
        let (execution, path) = split(key);
        self.log.safe(What::Fail, execution, path);
        Broken(key.to_owned())
    }

    /// How often that step has failed.
    pub(crate) fn failures(&self, key: &str) -> u64 {
        self.look(|seen| seen.failed.get(key).copied().unwrap_or_default())
    }

    /// How often its undo has.
    pub(crate) fn undo_failures(&self, key: &str) -> u64 {
        self.failures(&format!("!{key}"))
    }

    /// Whether a step's effect is there: for a `#[verify]`.
    pub(crate) fn find(&self, key: &str) -> Option<u64> {
        let found = self.look(|seen| seen.there.get(key).copied());
        let (execution, path) = split(key);
        let told = if found.is_some() { "found" } else { "absent" };
        self.log
            .mark(What::Verify, execution, &format!("{path} {told}"));
        found
    }

    /// Takes a step's effect back.
    pub(crate) async fn undo(&self, key: &str) {
        let (execution, path) = split(key);
        self.log.mark(What::Unbegin, execution, path);
        self.pause().await;
        self.target.at(Point::Undo);
        self.log.safe(What::Undid, execution, path);
        self.pause().await;
        self.log.mark(What::Unend, execution, path);
    }

    /// An undo that fails with no effect.
    pub(crate) fn undo_breaks(&self, key: &str) -> Broken {
        let (execution, path) = split(key);
        self.log.mark(What::Unbegin, execution, path);
        self.log.safe(What::Unfail, execution, path);
        Broken(format!("the undo of {key}"))
    }

    async fn pause(&self) {
        tokio::time::sleep(self.length()).await;
    }

    fn length(&self) -> Duration {
        let n = self.pauses.fetch_add(1, Ordering::Relaxed);
        Duration::from_micros(Random::new(n).within(0..3000))
    }

    /// Reads what came to the log since, and looks.
    fn look<R>(&self, look: impl FnOnce(&Seen) -> R) -> R {
        let mut seen = self.seen.lock().expect("nobody panics with it");
        let text = self.log.text_from(seen.end);
        // The last line may still be on its way.
        let whole = text.rfind(" .").map_or(0, |at| at + 2);
        for record in records(&text[..whole]) {
            let key = || format!("{}/{}", record.execution, record.first());
            match record.what {
                What::Did => {
                    let value = record.second().parse().unwrap_or_default();
                    seen.there.insert(key(), value);
                }
                What::Undid => {
                    seen.there.remove(&key());
                }
                What::Fail => *seen.failed.entry(key()).or_default() += 1,
                What::Unfail => *seen.failed.entry(format!("!{}", key())).or_default() += 1,
                _ => {}
            }
        }
        seen.end += u64::try_from(whole).expect("a length");
        look(&seen)
    }
}

/// The execution and the path of a key.
fn split(key: &str) -> (&str, &str) {
    key.split_once('/').expect("a key is `execution/path`")
}
