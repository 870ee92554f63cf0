//! The key of an execution, which no other one of its flow has until it has ended: what a start does if it
//! is taken.

use crate::{
    engine::{Engine, error::EngineError},
    store::NewExecution,
};

/// What a start does if its [key](super::Start::singleton) is that of another execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfTaken {
    /// It is refused, with [`EngineError::Taken`]. This is the default.
    #[default]
    Refuse,
    /// It gives the execution that has the key, whatever its input, labels and priority.
    Skip,
    /// It stops the one that has the key, waits until that has come to rest, and starts then.
    Stop,
    /// It undoes the one that has the key, waits until that has ended, and starts then.
    Undo,
}

/// What comes of a start whose key is taken.
pub(super) enum Answer {
    /// The handle is that of this execution.
    Other(String),
    /// The other one has ended: once more.
    Again(Box<NewExecution>),
}

impl Engine {
    /// Does what a start says of a key that is taken.
    pub(super) async fn taken(
        &self,
        by: String,
        new: NewExecution,
        if_taken: IfTaken,
    ) -> Result<Answer, EngineError> {
        match if_taken {
            IfTaken::Skip => return Ok(Answer::Other(by)),
            IfTaken::Refuse => {
                return Err(EngineError::Taken {
                    id: new.id,
                    flow: new.flow,
                    key: new.singleton.unwrap_or_default(),
                    by,
                });
            }
            IfTaken::Stop | IfTaken::Undo => {}
        }
        let other = match self.get(by).await {
            Ok(other) => other,
            // It has ended, and was deleted.
            Err(EngineError::Unknown { .. }) => return Ok(Answer::Again(Box::new(new))),
            Err(error) => return Err(error),
        };
        let asked = match if_taken {
            IfTaken::Undo => other.undo().await,
            _ => other.stop().await,
        };
        match asked {
            // It has ended meanwhile.
            Ok(()) | Err(EngineError::Status { .. } | EngineError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
        match other.ended().await {
            Ok(_) | Err(EngineError::Unknown { .. }) => Ok(Answer::Again(Box::new(new))),
            Err(error) => Err(error),
        }
    }
}
