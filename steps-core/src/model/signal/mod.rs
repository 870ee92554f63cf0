//! Which step a signal is for, and whether that step can take one.
//!
//! A signal is sent to a [path](super::state::path). In the place of a key, a `*` stands for
//! whichever item or round waits. [`find`](find::find) compares the path with the flow's table and,
//! if there is one, with the execution's tree; [`Target`] is compared with the steps that wait.

pub(crate) mod find;

use std::{borrow::Cow, fmt};

use super::state::path;

/// Why a signal was not taken in. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The flow has no step of this path, or the step is none that takes signals.
    #[error("{what}; {}", Known(signals))]
    NoSignal {
        /// The path.
        path: String,
        /// What it is instead.
        what: String,
        /// The paths of the flow's signals, with a `*` for each key.
        signals: Vec<String>,
    },
    /// The `for` has no such item, or the `loop` has had no such round.
    #[error("the signal to `{path}` was not sent: {why}")]
    NoItem {
        /// The path.
        path: String,
        /// Which item or round there is not.
        why: String,
    },
    /// The step can take none any more.
    #[error("the step `{path}` can take no signal any more: {why}")]
    TakesNone {
        /// The path.
        path: String,
        /// What keeps it from taking one.
        why: String,
    },
    /// The step of a saved state, or of a flow that this process does not know, does not wait for a
    /// signal now.
    #[error("`{path}` does not wait for a signal now; {}", Waiting(waiting))]
    NotWaiting {
        /// The path.
        path: String,
        /// The paths of the steps that do.
        waiting: Vec<String>,
    },
    /// As many signals are waiting for their step as may.
    #[error(
        "the signal to `{path}` was not sent: {most} are queued for it already, the most that may be"
    )]
    Full {
        /// The path.
        path: String,
        /// The most that may wait: see [`RunLimits::signals`](crate::RunLimits::signals).
        most: usize,
    },
    /// The value can't be saved as JSON, can't be read back, or is larger than the limit.
    #[error("the signal to `{path}` {why}")]
    Value {
        /// The path.
        path: String,
        /// What is wrong with the value.
        why: String,
    },
}

struct Known<'a>(&'a [String]);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("the flow has no signals"),
            [one] => write!(f, "the flow's signal is `{one}`"),
            all => write!(f, "the flow's signals are `{}`", all.join("`, `")),
        }
    }
}

struct Waiting<'a>(&'a [String]);

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("no step does"),
            [one] => write!(f, "`{one}` does"),
            all => write!(f, "`{}` do", all.join("`, `")),
        }
    }
}

impl SignalError {
    /// The error of a value that can't be recorded.
    pub(crate) fn unsaved(path: &str, error: &serde_json::Error) -> Self {
        Self::Value {
            path: path.to_owned(),
            why: format!("can't be saved as JSON: {error}"),
        }
    }

    /// The error of a step that waits no longer.
    pub(crate) fn late(path: &str) -> Self {
        Self::TakesNone {
            path: path.to_owned(),
            why: format!("the time of `{path}` is over"),
        }
    }

    /// The error of a step that was given a signal already.
    pub(crate) fn given(path: &str) -> Self {
        Self::TakesNone {
            path: path.to_owned(),
            why: "it has been given one".to_owned(),
        }
    }
}

/// Where a signal goes among those for the same steps that no step has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Behind them.
    Behind,
    /// In their place.
    Instead,
}

/// The steps that a signal is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(Vec<Option<Box<str>>>);

impl Target {
    /// Reads a path, whatever flow it is of.
    pub(crate) fn parse(path: &str) -> Self {
        Self(path::pattern(path).map(|name| name.map(boxed)).collect())
    }

    /// Returns the names; `None` is any.
    pub(crate) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }

    /// Returns whether it is one step, which takes one signal in its life.
    pub(crate) fn is_one(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// Returns whether a signal for these steps may be taken by the step with these names.
    pub(crate) fn fits(&self, names: &[Cow<'_, str>]) -> bool {
        self.0.len() == names.len()
            && self
                .names()
                .zip(names)
                .all(|(wanted, name)| wanted.is_none_or(|wanted| wanted == name))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        for name in self.names() {
            match name {
                Some(name) => path::push(&mut path, name),
                None => push_any(&mut path),
            }
        }
        f.write_str(&path)
    }
}

fn boxed(name: Cow<'_, str>) -> Box<str> {
    name.into_owned().into()
}

/// Appends a `*` to `path`, which stands for any key.
pub(crate) fn push_any(path: &mut String) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push('*');
}
