//! What started an execution.

use std::fmt;

use crate::base::id;

/// What started an execution: [`Start::trigger`](crate::engine::Start::trigger).
///
/// ```
/// use steps::Trigger;
///
/// assert_eq!(Trigger::from("schedule"), Trigger::Schedule);
/// assert_eq!(Trigger::from("webhook").as_str(), "webhook");
/// assert_eq!(Trigger::default().as_str(), "manual");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trigger {
    /// A person, or a program that did not say.
    #[default]
    Manual,
    /// A time: a schedule.
    Schedule,
    /// Something that happened.
    Event,
    /// Another execution, by a `start` line: its [parent](crate::store::ExecutionInfo::parent).
    Parent,
    /// What the service calls so.
    Other(String),
}

impl Trigger {
    /// Returns its name: `manual`, `schedule`, `event`, `parent`, or what the service calls it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Event => "event",
            Self::Parent => "parent",
            Self::Other(name) => name,
        }
    }

    /// Checks the name that the service gave: text of 1 to 255 bytes without control characters.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        id::check(self.as_str())
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for Trigger {
    fn from(name: &str) -> Self {
        match name {
            "manual" => Self::Manual,
            "schedule" => Self::Schedule,
            "event" => Self::Event,
            "parent" => Self::Parent,
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl From<String> for Trigger {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}
