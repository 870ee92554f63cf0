//! Typed views of a saved tree, and typed references to its nodes.
//!
//! For a flow `attach_volume` the macro generates `AttachVolumeState`, a [`FlowState`] with a field
//! for each line, and `attach_volume::STEPS`, with a [`StepRef`] for each line that is a step, a
//! [`SignalRef`] for a signal, and a [`FlowRef`] for a nested flow.

mod ref_path;
mod signal_ref;
mod step_ref;
mod step_state;

use std::{borrow::Cow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::{
    signal::SignalError,
    state::{State, StateError, Tree},
    status::Status,
    task::{ReportError, Reported, TaskId, TaskReport},
};
use crate::base::{json::Json, read_back::record};
pub use ref_path::{AtRoot, InLoop, Loops, NoSteps, NotInLoop, RefPath, Within};
pub use signal_ref::{AsSignalRef, SignalItemRef, SignalRef};
pub use step_ref::{AsStepRef, FlowRef, ItemRef, StepRef};
pub use step_state::{ItemStates, StepState};

/// The fields of a typed state, as the macro generates them: a [`StepState`] for each step, and a
/// struct for each group.
#[doc(hidden)]
pub trait View {
    /// Returns the view of the node at `at`.
    fn view(at: Place) -> Self;
}

/// The tree and the path of a view.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Place {
    root: Arc<State>,
    path: Vec<Cow<'static, str>>,
}

impl Place {
    /// Returns the place of a child.
    #[must_use]
    pub fn child(&self, name: &'static str) -> Self {
        self.below(Cow::Borrowed(name))
    }

    pub(crate) fn below(&self, name: Cow<'static, str>) -> Self {
        let mut path = self.path.clone();
        path.push(name);
        Self {
            root: Arc::clone(&self.root),
            path,
        }
    }

    pub(crate) fn find(&self) -> Option<&State> {
        let mut at = &*self.root;
        for name in &self.path {
            at = at.states.iter().rfind(|state| state.name == *name)?;
        }
        Some(at)
    }
}

/// The state of a flow: a field for each line, and the whole tree below.
///
/// Its serde form is the JSON of the tree, so it is saved and loaded like any other value.
///
/// | line | field |
/// |---|---|
/// | `vm = create_vm(…);` | [`StepState<VmId>`](StepState) |
/// | `create = parallel { … }`, `create = { … }`, `if` without `else` | a struct with a field for each line, and `node()` for the group itself |
/// | `if … { … } else { … }` | a struct with `then` and `otherwise`, a struct each |
/// | `for`, `loop` | [`ItemStates`] of such a struct |
/// | `flow other(…)` | the fields of the other flow's state |
///
/// ```
/// use steps::{Status, prelude::*};
///
/// #[step]
/// async fn create(name: &str) -> Result<u32, String> {
///     if name == "b" { Err("no quota".to_owned()) } else { Ok(7) }
/// }
///
/// #[flow(on_failure = "hold")]
/// async fn set_up(names: Vec<String>) -> Result<(), String> {
///     steps! {
///         hosts = for name in names by name {
///             id = create(name);
///         }
///     }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pass = set_up(vec!["a".into(), "b".into()]).advance().await?;
/// let text = serde_json::to_string(&pass.state)?;
///
/// let mut state: SetUpState = serde_json::from_str(&text)?;
/// assert_eq!(state.hosts.get("a").id.output()?, Some(7));
/// assert_eq!(state.hosts.get("b").id.status(), Status::Failed);
/// assert_eq!(state.hosts.get("b").id.error(), Some("no quota"));
/// assert_eq!(state.hosts.iter().count(), 2);
///
/// state.recover()?;
/// assert_eq!(state.hosts.get("b").id.status(), Status::Pending);
/// # Ok(())
/// # }
/// ```
pub struct FlowState<V> {
    root: Arc<State>,
    fields: V,
}

impl<V: View> From<State> for FlowState<V> {
    fn from(state: State) -> Self {
        let root = Arc::new(state);
        let fields = V::view(Place {
            root: Arc::clone(&root),
            path: Vec::new(),
        });
        Self { root, fields }
    }
}

impl<V> From<FlowState<V>> for State {
    fn from(state: FlowState<V>) -> Self {
        let FlowState { root, fields } = state;
        drop(fields);
        Arc::unwrap_or_clone(root)
    }
}

impl<V: View> FlowState<V> {
    /// Returns the whole tree, untyped.
    pub fn state(&self) -> &State {
        &self.root
    }

    /// Returns the tree for people, with marks, times and errors: see [`State::tree`].
    pub fn tree(&self) -> Tree<'_> {
        self.root.tree()
    }

    /// Returns the JSON of the tree on one line: see [`State::to_json`].
    pub fn to_json(&self) -> String {
        self.root.to_json()
    }

    /// Returns the JSON of the tree, indented: see [`State::to_json_pretty`].
    pub fn to_json_pretty(&self) -> String {
        self.root.to_json_pretty()
    }

    /// Returns the execution's status.
    pub fn execution_status(&self) -> Status {
        self.root.status
    }

    /// Clears what failed, so that the next run tries it again. What is done stays done. Returns
    /// the number of cleared nodes. See [`State::recover`].
    pub fn recover(&mut self) -> Result<usize, StateError> {
        self.edit(State::recover)
    }

    /// Sends a value to a step that waits for a signal. The next run takes it. A saved state has no
    /// queue: only a step that waits, and was not given a value yet, takes one.
    ///
    /// # Errors
    ///
    /// Changes nothing, and returns [`SignalError::NotWaiting`] if the step does not wait for a
    /// signal, [`SignalError::TakesNone`] if it has been given one, and [`SignalError::Value`] if the
    /// value can't be saved as JSON and read back.
    pub fn signal<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> Result<(), SignalError> {
        let (path, json) = recorded(step, value)?;
        self.edit(|state| state.signal(&path, json))
    }

    /// Reports on an external task, for the next run of this saved state. See [`State::report_task`].
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] where the fields of the report contradict each other.
    pub fn report_task(
        &mut self,
        task: &TaskId,
        report: &TaskReport,
    ) -> Result<Reported, ReportError> {
        self.edit(|state| state.report_task(task, report))
    }

    /// Sends a value to a step that waits for a signal, in the place of one that it was given before
    /// and that no run has taken yet.
    ///
    /// # Errors
    ///
    /// As of [`signal`](Self::signal), but for [`SignalError::TakesNone`].
    pub fn replace_signal<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> Result<(), SignalError> {
        let (path, json) = recorded(step, value)?;
        self.edit(|state| state.replace_signal(&path, json))
    }

    /// Makes a stuck rollback retry each failed undo: see [`State::retry_undo`].
    pub fn retry_undo(&mut self) -> Result<usize, StateError> {
        self.edit(State::retry_undo)
    }

    /// Makes a stuck rollback continue without the undo of this step: see [`State::skip_undo`].
    pub fn skip_undo<T>(&mut self, step: impl AsStepRef<T>) -> Result<(), StateError> {
        self.edit(|state| state.skip_undo(&step.path()))
    }

    /// Records that this step of a stuck rollback was undone by hand: see [`State::mark_undone`].
    pub fn mark_undone<T>(&mut self, step: impl AsStepRef<T>) -> Result<(), StateError> {
        self.edit(|state| state.mark_undone(&step.path()))
    }

    /// Clears this step and everything after it, so that the next run begins with it: see
    /// [`State::reset`].
    pub fn retry_from<T>(&mut self, step: impl AsStepRef<T>) -> Result<usize, StateError> {
        self.edit(|state| state.reset(&step.path()))
    }

    fn edit<R>(&mut self, edit: impl FnOnce(&mut State) -> R) -> R {
        let mut state = State::clone(&self.root);
        let result = edit(&mut state);
        *self = Self::from(state);
        result
    }
}

/// Returns the path of a signal's step, and the value as it is recorded.
fn recorded<T: Serialize + DeserializeOwned + 'static>(
    step: impl AsSignalRef<T>,
    value: &T,
) -> Result<(String, Json), SignalError> {
    let path = step.path();
    match record(value) {
        Ok(json) => Ok((path, json)),
        Err(error) => Err(SignalError::unsaved(&path, &error)),
    }
}

impl<V> Deref for FlowState<V> {
    type Target = V;
    fn deref(&self) -> &V {
        &self.fields
    }
}

impl<V: View> Clone for FlowState<V> {
    fn clone(&self) -> Self {
        Self::from(State::clone(&self.root))
    }
}

impl<V> PartialEq for FlowState<V> {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl<V> fmt::Debug for FlowState<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl<V> Serialize for FlowState<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root.serialize(serializer)
    }
}

impl<'de, V: View> Deserialize<'de> for FlowState<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        State::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schemars")]
impl<V> schemars::JsonSchema for FlowState<V> {
    fn schema_name() -> Cow<'static, str> {
        State::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        State::schema_id()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        State::json_schema(generator)
    }
}
