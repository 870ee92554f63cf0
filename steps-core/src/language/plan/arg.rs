//! Arguments of a plan's steps, as they are given in Rust: values, and outputs of other steps.

use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::draft::{DraftArg, OfStep};
use crate::base::json::Json;

/// What a step of a plan will give, once it is done: an argument for later steps. From
/// [`PlanGroup::step`](super::PlanGroup::step).
///
/// `&disk` is the whole output, [`disk.at("/id")`](Self::at) a part of it.
#[derive(Debug)]
pub struct StepOutput<T> {
    path: Vec<String>,
    output: PhantomData<fn() -> T>,
}

impl<T> Clone for StepOutput<T> {
    fn clone(&self) -> Self {
        Self::new(self.path.clone())
    }
}

impl<T> StepOutput<T> {
    pub(super) fn new(path: Vec<String>) -> Self {
        Self {
            path,
            output: PhantomData,
        }
    }

    /// Returns the part of the output that this [JSON pointer](https://www.rfc-editor.org/rfc/rfc6901)
    /// leads to, in its JSON: `/id`, `/disks/0/size`. The type is only known when the step runs: a part that
    /// is not there, or is not what the argument needs, fails the step then.
    pub fn at(&self, pointer: impl Into<String>) -> OutputPart {
        OutputPart {
            path: self.path.clone(),
            at: pointer.into(),
        }
    }

    /// Returns the path of the step in the plan: the names of the groups around it, and its own.
    pub fn path(&self) -> String {
        crate::model::state::path::join(&self.path)
    }

    pub(super) fn into_path(self) -> Vec<String> {
        self.path
    }
}

/// A part of what a step of a plan will give: see [`StepOutput::at`].
#[derive(Clone, Debug)]
pub struct OutputPart {
    path: Vec<String>,
    at: String,
}

/// What can be given for a parameter of type `T`: a value, a reference to one, or what an earlier step gives.
///
/// A `&str` is taken for a `String`, a `&Path` for a `PathBuf`, a slice for a `Vec`, and the output of a step for an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given for a `{T}`",
    label = "this is no `{T}`",
    note = "give a value, `&value`, the output of an earlier step, `&disk`, or a part of one, `disk.at(\"/id\")`"
)]
pub trait AsArg<T> {
    /// Returns the argument.
    #[doc(hidden)]
    fn arg(self) -> AnyArg;
}

/// An argument, whatever its type.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct AnyArg(pub(super) DraftArg);

fn value(value: &(impl Serialize + ?Sized)) -> AnyArg {
    AnyArg(match Json::encode(value) {
        Ok(json) => DraftArg::Value(json),
        Err(error) => DraftArg::Unsaved(error.to_string()),
    })
}

fn from(path: Vec<String>, at: String) -> AnyArg {
    AnyArg(DraftArg::From {
        step: OfStep::Path(path),
        at,
    })
}

impl<T: Serialize> AsArg<T> for T {
    fn arg(self) -> AnyArg {
        value(&self)
    }
}

impl<T: Serialize> AsArg<T> for &T {
    fn arg(self) -> AnyArg {
        value(self)
    }
}

impl AsArg<String> for &str {
    fn arg(self) -> AnyArg {
        value(self)
    }
}

impl AsArg<PathBuf> for &Path {
    fn arg(self) -> AnyArg {
        value(self)
    }
}

impl<T: Serialize> AsArg<Vec<T>> for &[T] {
    fn arg(self) -> AnyArg {
        value(self)
    }
}

impl<T> AsArg<T> for StepOutput<T> {
    fn arg(self) -> AnyArg {
        from(self.path, String::new())
    }
}

impl<T> AsArg<T> for &StepOutput<T> {
    fn arg(self) -> AnyArg {
        from(self.path.clone(), String::new())
    }
}

impl<T> AsArg<Option<T>> for StepOutput<T> {
    fn arg(self) -> AnyArg {
        from(self.path, String::new())
    }
}

impl<T> AsArg<Option<T>> for &StepOutput<T> {
    fn arg(self) -> AnyArg {
        from(self.path.clone(), String::new())
    }
}

impl<T> AsArg<T> for OutputPart {
    fn arg(self) -> AnyArg {
        from(self.path, self.at)
    }
}

impl<T> AsArg<T> for &OutputPart {
    fn arg(self) -> AnyArg {
        from(self.path.clone(), self.at.clone())
    }
}
