//! Compares what a store returned with what it should have returned.

use std::{borrow::Cow, fmt::Debug};

use crate::{
    model::state::NodeRow,
    store::{ErrorKind, StoreError},
};

/// What a rule comes to: nothing, or what was wrong.
pub(super) type Outcome<T = ()> = Result<T, Fault>;

/// What was wrong: what was looked at, what was expected, what came.
#[derive(Debug)]
pub(super) struct Fault(pub(super) String);

/// What is shown of a value at most, in bytes.
const SHOWN: usize = 1500;

/// What can be compared by eye, in bytes.
const EYE: usize = 200;

impl Fault {
    pub(super) fn new(what: &str, expected: impl AsRef<str>, came: impl Debug) -> Self {
        let expected = cut(expected.as_ref());
        let came = format!("{came:?}");
        let came = cut(&came);
        Self(format!(
            "{what}\n  expected: {expected}\n  came:     {came}"
        ))
    }
}

/// A call that should have succeeded has failed.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new("a call that breaks no rule", "no error", error)
    }
}

fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= SHOWN {
        return text.into();
    }
    let end = text.floor_char_boundary(SHOWN);
    format!("{}… ({} bytes in all)", &text[..end], text.len()).into()
}

/// Checks that two values are the same.
pub(super) fn same<T: PartialEq + Debug + ?Sized>(what: &str, came: &T, expected: &T) -> Outcome {
    if came == expected {
        return Ok(());
    }
    let mut fault = Fault::new(what, format!("{expected:?}"), came);
    let (came, expected) = (format!("{came:?}"), format!("{expected:?}"));
    if came.len().max(expected.len()) > EYE {
        let pairs = came.bytes().zip(expected.bytes());
        let equal = pairs.take_while(|(a, b)| a == b).count();
        let (came, expected) = (around(&came, equal), around(&expected, equal));
        let more = format!("\n  the difference: expected {expected}, came {came}");
        fault.0.push_str(&more);
    }
    Err(fault)
}

/// The part of a text that this byte is in.
fn around(text: &str, byte: usize) -> String {
    let from = text.floor_char_boundary(byte.saturating_sub(EYE / 4));
    let to = text.floor_char_boundary(byte + EYE / 4);
    format!("…{}…", &text[from..to])
}

/// Something holds of what came.
pub(super) fn holds(what: &str, expected: &str, came: impl Debug, holds: bool) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Fault::new(what, expected, came))
    }
}

/// A call fails with this kind of error.
pub(super) fn fails<T: Debug>(what: &str, came: Result<T, StoreError>, kind: ErrorKind) -> Outcome {
    let is_so = came.as_ref().is_err_and(|error| error.kind() == kind);
    holds(what, &format!("the error {kind:?}"), came, is_so)
}

/// The rows are these, in whatever order they come.
pub(super) fn same_nodes(what: &str, came: &[NodeRow], expected: &[NodeRow]) -> Outcome {
    let sorted = |nodes: &[NodeRow]| {
        let mut nodes = nodes.to_vec();
        nodes.sort_by_key(|node| node.id);
        nodes
    };
    let (came, expected) = (sorted(came), sorted(expected));
    let ids = |nodes: &[NodeRow]| nodes.iter().map(|node| node.id).collect::<Vec<_>>();
    let about = format!("{what}: the numbers of the nodes");
    same(&about, &ids(&came), &ids(&expected))?;
    for (came, expected) in came.iter().zip(&expected) {
        let about = format!("{what}: node {}", expected.id);
        same(
            &format!("{about}, its parent"),
            &came.parent,
            &expected.parent,
        )?;
        same(&about, &came.node, &expected.node)?;
    }
    Ok(())
}

/// Returns what a task of the suite returned.
pub(super) fn joined<T>(task: Result<T, tokio::task::JoinError>) -> Outcome<T> {
    task.map_err(|error| Fault::new("calls at once", "no panic", error))
}
