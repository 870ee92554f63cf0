//! A codec: what the values of executions become on their way into a store, and how they are read back.
//!
//! [`CodecStore`] is a store in front of another one. It has each value encoded that goes in, and decodes
//! each that comes out, so that neither the engine nor the store knows of it. Which values these are is
//! said once, in `visit`; `token` has their form in the store, and `passage` takes a value from one form
//! to the other. How a text is compressed or encrypted is the business of a [`Codec`].

mod attrs;
mod changes;
mod check;
#[cfg(test)]
pub(crate) mod example;
mod held;
mod inward;
mod limits;
mod log;
mod outward;
mod passage;
mod query;
mod refusal;
mod token;
mod visit;
mod wrap;
mod writes;

use std::fmt;

pub use token::is_encoded;
pub use wrap::CodecStore;

/// Encodes the values that a store keeps: [`Builder::codec`](crate::engine::Builder::codec).
///
/// The crate `steps-codec` has one that compresses and one that encrypts. One of your own is called on the
/// task that writes or reads, so it must not wait for anything: get keys before.
///
/// ```
/// use steps::store::codec::{Codec, CodecError, Place};
///
/// /// Hides nothing, and only shows what a codec is.
/// struct Reversed;
///
/// impl Codec for Reversed {
///     fn encode(&self, _: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError> {
///         Ok(Some(text.bytes().rev().collect()))
///     }
///     fn decode(&self, _: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError> {
///         String::from_utf8(bytes.iter().rev().copied().collect())
///             .map_err(|_| CodecError::invalid("it is no text"))
///     }
/// }
/// ```
pub trait Codec: Send + Sync + 'static {
    /// Returns whether values of this kind are encoded, at least some of them. A query that looks into such
    /// values is [`Rejected`](super::ErrorKind::Rejected), as the store can't. By default all are.
    fn encodes(&self, payload: Payload) -> bool {
        let _ = payload;
        true
    }

    /// Encodes a text: JSON, or a plain text such as an error. `None` leaves it as it is. It is called
    /// only for kinds that are [encoded](Self::encodes).
    ///
    /// # Errors
    ///
    /// If it can't. Then nothing is written, and the run stops where it is.
    fn encode(&self, place: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError>;

    /// Decodes what [`encode`](Self::encode) has returned for the same place. It is called also for kinds
    /// that are not encoded any more.
    ///
    /// # Errors
    ///
    /// [`CodecError::UnknownKey`] if a key is missing, and [`CodecError::Invalid`] if the bytes are not what
    /// was encoded for this place.
    fn decode(&self, place: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError>;

    /// Returns whether values are read that were saved without a codec, of the kinds that are
    /// [encoded](Self::encodes). By default they are, so that a codec can be given to a store that has been
    /// in use.
    fn takes_plain(&self) -> bool {
        true
    }

    /// Returns what tells this codec from others that can't read all that it can: such as a hash of the ids
    /// of its keys. An execution that one process can't decode is left to those with another identity.
    fn identity(&self) -> u64 {
        0
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Payload {
    /// The input of a flow, the items of a `for`, the value of a `match` or an `if let`, the value of a
    /// signal that a step has taken.
    Input,
    /// The output of a step or a flow, what it keeps between attempts, and what `#[observe]` has seen.
    Output,
    /// The value of a signal that no step has taken yet, and a report on an external task.
    Signal,
    /// The text of an error.
    Error,
    /// The value of an attribute. The names of attributes stay plain.
    Attr,
    /// The status message, and the reasons of operators.
    Note,
    /// What is kept for schedules and sweeps, among it the inputs of executions to be started.
    Duty,
    /// The text of what a step has logged.
    Log,
}

impl Payload {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::Output,
        Self::Signal,
        Self::Error,
        Self::Attr,
        Self::Note,
        Self::Duty,
        Self::Log,
    ];

    /// Returns its name: `input`, `output`, `signal`, `error`, `attr`, `note`, `duty` or `log`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Signal => "signal",
            Self::Error => "error",
            Self::Attr => "attr",
            Self::Note => "note",
            Self::Duty => "duty",
            Self::Log => "log",
        }
    }
}

/// To what a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The execution with this id.
    Id(&'a str),
    /// The execution with this [key](super::ExecutionInfo::key), which a write under a lease knows in the
    /// place of the id.
    Key(i64),
    /// The duty of this name.
    Duty(&'a str),
}

/// Where a value belongs: the same when it is encoded and when it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place<'a> {
    /// What it is.
    pub payload: Payload,
    /// To what it belongs.
    pub owner: Owner<'a>,
    /// Of a node's value, the number of its row; the root has number 0. An execution's own values are those
    /// of its root, or have none.
    pub row: Option<u32>,
    /// Which of the values there, such as `before`.
    pub field: &'a str,
    /// Of an attribute and a signal, its path; of what was logged, that of the step.
    pub path: &'a str,
}

impl<'a> Place<'a> {
    /// A place, for the tests of a codec.
    pub const fn new(
        payload: Payload,
        owner: Owner<'a>,
        row: Option<u32>,
        field: &'a str,
        path: &'a str,
    ) -> Self {
        Self {
            payload,
            owner,
            row,
            field,
            path,
        }
    }

    /// Returns the place as bytes, different for each place: for the associated data of an encryption.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![match self.owner {
            Owner::Id(_) => 1,
            Owner::Key(_) => 2,
            Owner::Duty(_) => 3,
        }];
        let mut push = |part: &[u8]| {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        };
        match self.owner {
            Owner::Id(text) | Owner::Duty(text) => push(text.as_bytes()),
            Owner::Key(key) => push(&key.to_be_bytes()),
        }
        push(self.payload.as_str().as_bytes());
        match self.row {
            Some(row) => push(&row.to_be_bytes()),
            None => push(&[]),
        }
        push(self.field.as_bytes());
        push(self.path.as_bytes());
        bytes
    }
}

/// Why a value could not be encoded or decoded. It says nothing of the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// It was encoded with a key that is not known here.
    UnknownKey {
        /// The id of the key.
        key: String,
    },
    /// It can't be encoded, or is not what was encoded for its place.
    Invalid {
        /// What is wrong.
        why: String,
    },
}

impl CodecError {
    /// An error with this text.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid { why: why.into() }
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { key } => {
                write!(
                    f,
                    "it is encrypted with the key `{key}`, which is not known here"
                )
            }
            Self::Invalid { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for CodecError {}
