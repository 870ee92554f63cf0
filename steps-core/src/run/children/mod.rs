//! Child executions in a flow: `start` lines, `join` lines, and the value that the first gives to the
//! second.
//!
//! Both are steps to the interpreter. With an engine, a child is an execution of its own, and what is
//! asked of it goes through [`RunEngine`](crate::language::children::RunEngine). Without one, `inline`
//! runs it within its `start` line, unless whoever makes the run starts its children: `outside`.

mod inline;
mod join;
mod outside;
mod start;

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use super::{Run, with::Served};
use crate::{
    base::json::Json,
    language::{children::OwnFlows, flow::Flow},
    model::state::children::child_of,
};
pub use join::join_child;
pub use outside::Children;
pub use start::start_child;

/// A child execution: what a line `name = start flow(…);` gives, and `join name;` takes.
///
/// It is saved as the id of the execution, as text. So it may be handed to steps and to nested flows,
/// and be part of a flow's output; but only the execution that has started the child can join it.
///
/// ```
/// use steps::{Child, prelude::*};
///
/// #[flow]
/// async fn bill(cents: u32) -> Result<u32, String> {
///     steps! { let due: u32 = cents + 100; }
///     Ok(due)
/// }
///
/// #[step]
/// async fn note(child: &Child<bill>) -> Result<String, String> {
///     Ok(format!("see {}", child.id()))
/// }
///
/// #[flow]
/// async fn order(cents: u32) -> Result<u32, String> {
///     steps! {
///         child = start bill(cents).id("bill-7");
///         note(&child);
///         due   = join child;
///     }
///     Ok(due)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use steps::Engine;
///
/// let engine = Engine::open("memory:").await?
///     .serve(order::with())
///     .serve(bill::with())
///     .start().await?;
/// assert_eq!(engine.start(order::input(200)).await?.outcome().await?, 300);
/// assert_eq!(engine.execution::<bill>("bill-7").await?.outcome().await?, 300);
/// # Ok(())
/// # }
/// ```
pub struct Child<F: Flow> {
    id: String,
    /// The tree as it ended, where no engine ran it.
    state: Option<Json>,
    flow: PhantomData<fn() -> F>,
}

impl<F: Flow> Child<F> {
    fn new(id: String, state: Option<Json>) -> Self {
        Self {
            id,
            state,
            flow: PhantomData,
        }
    }

    /// The id of the execution.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<F: Flow> Clone for Child<F> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone(), self.state.clone())
    }
}

impl<F: Flow> PartialEq for Child<F> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<F: Flow> Eq for Child<F> {}

impl<F: Flow> fmt::Debug for Child<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.id).finish()
    }
}

impl<F: Flow> fmt::Display for Child<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl<F: Flow> Serialize for Child<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(state) = &self.state else {
            return serializer.serialize_str(&self.id);
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("state", state)?;
        map.end()
    }
}

impl<'de, F: Flow> Deserialize<'de> for Child<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Json::deserialize(deserializer)?;
        let id = child_of(&saved);
        let id = id.ok_or_else(|| de::Error::custom("this is no child execution's id"))?;
        let state = saved.decode::<BTreeMap<String, Json>>();
        let state = state.ok().and_then(|mut fields| fields.remove("state"));
        Ok(Self::new(id, state))
    }
}

impl<F: Flow> Run<'_, F> {
    /// Gives a run that no engine makes the resources of a flow that it starts children of:
    /// `order(user).serve(bill::with(bank)).await`. A flow that takes nothing by reference need not be
    /// given. An engine takes those that it serves itself.
    pub fn serve<S: Served>(mut self, flow: S) -> Self
    where
        <S::Flow as Flow>::Owned: Send + Sync,
    {
        let flows = &mut self.options.flows;
        flows.insert(S::Flow::TABLE.name, Arc::new(flow.into_with()));
        self
    }

    /// Sets the flows of its children.
    pub(crate) fn flows(mut self, flows: OwnFlows) -> Self {
        self.options.flows = flows;
        self
    }
}

#[cfg(feature = "schemars")]
impl<F: Flow> schemars::JsonSchema for Child<F> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Child".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The id of a child execution; with its tree, where no engine ran it.",
            "anyOf": [
                { "type": "string", "minLength": 1, "maxLength": 255 },
                { "type": "object", "required": ["id", "state"] },
            ],
        })
    }
}
