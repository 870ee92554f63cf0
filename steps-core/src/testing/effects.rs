//! What steps under test did to the world.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use super::FakeClock;
use crate::base::sync::lock;

/// How an effect goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An error, and the effect has not happened.
    FailBefore,
    /// An error, and the effect has happened all the same.
    FailAfter,
    /// A panic, and the effect has not happened.
    PanicBefore,
    /// A panic, and the effect has happened all the same.
    PanicAfter,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::FailBefore,
        Self::FailAfter,
        Self::PanicBefore,
        Self::PanicAfter,
    ];
}

/// The error of a step that was made to fail.
#[derive(Clone, Debug, thiserror::Error)]
#[error("made to fail: {0}")]
pub struct Injected(pub String);

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It was done.
    Did(String),
    /// It was taken back.
    Undid(String),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Did(name) => f.write_str(name),
            Self::Undid(name) => write!(f, "undo {name}"),
        }
    }
}

/// The world that steps under test work on: a log of what they did, and the faults that are put in
/// their way. Clones share it.
///
/// ```
/// use steps::testing::Lab;
/// let lab = Lab::new();
/// lab.act("vm a")?;
/// lab.undo("vm a")?;
/// assert_eq!(lab.texts(), ["vm a", "undo vm a"]);
/// assert!(!lab.is_there("vm a"));
/// # Ok::<_, steps::testing::Injected>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lab {
    inner: Arc<Mutex<Inner>>,
    clock: FakeClock,
}

#[derive(Debug, Default)]
struct Inner {
    log: Vec<Effect>,
    there: BTreeSet<String>,
    faults: BTreeMap<String, Fault>,
    struck: BTreeSet<String>,
}

impl Lab {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its clock.
    pub fn clock(&self) -> &FakeClock {
        &self.clock
    }

    /// Puts a fault in the way of an effect, for as long as this world lasts. An undo is named
    /// `undo …`.
    pub fn fault(&self, effect: impl Into<String>, fault: Fault) {
        lock(&self.inner).faults.insert(effect.into(), fault);
    }

    /// Does something to the world.
    ///
    /// # Errors
    ///
    /// Where a fault was put in its way.
    ///
    /// # Panics
    ///
    /// Where that fault is a panic.
    pub fn act(&self, name: impl Into<String>) -> Result<(), Injected> {
        self.happen(Effect::Did(name.into()))
    }

    /// Takes it back.
    ///
    /// # Errors
    ///
    /// Where a fault was put in its way.
    ///
    /// # Panics
    ///
    /// Where that fault is a panic.
    pub fn undo(&self, name: impl Into<String>) -> Result<(), Injected> {
        self.happen(Effect::Undid(name.into()))
    }

    fn happen(&self, effect: Effect) -> Result<(), Injected> {
        let text = effect.to_string();
        let fault = {
            let mut inner = lock(&self.inner);
            let fault = inner.faults.get(&text).copied();
            if fault.is_some() {
                inner.struck.insert(text.clone());
            }
            if !matches!(fault, Some(Fault::FailBefore | Fault::PanicBefore)) {
                match &effect {
                    Effect::Did(name) => inner.there.insert(name.clone()),
                    Effect::Undid(name) => inner.there.remove(name),
                };
                inner.log.push(effect);
            }
            fault
        };
        match fault {
            None => Ok(()),
            Some(Fault::FailBefore | Fault::FailAfter) => Err(Injected(text)),
            // Without the panic hook: thousands of these are no news.
            Some(Fault::PanicBefore | Fault::PanicAfter) => {
                std::panic::resume_unwind(Box::new(format!("made to panic: {text}")))
            }
        }
    }

    /// Whether the effect happened and was not taken back: what a `#[verify]` asks.
    pub fn is_there(&self, name: &str) -> bool {
        lock(&self.inner).there.contains(name)
    }

    /// All effects that happened and were not taken back.
    pub fn there(&self) -> BTreeSet<String> {
        lock(&self.inner).there.clone()
    }

    /// What happened, in order.
    pub fn log(&self) -> Vec<Effect> {
        lock(&self.inner).log.clone()
    }

    /// What happened, in order, as texts.
    pub fn texts(&self) -> Vec<String> {
        self.log().iter().map(Effect::to_string).collect()
    }

    /// The effects in whose way a fault was, and that were tried.
    pub fn struck(&self) -> BTreeSet<String> {
        lock(&self.inner).struck.clone()
    }
}
