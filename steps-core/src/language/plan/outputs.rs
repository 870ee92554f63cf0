//! What a plan gives: the outputs of its steps, by their paths in it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{slots::PlanSlots, tree::Tree};
use crate::{base::json::Json, model::state::path};

/// The output of a flow that runs a plan: what its steps gave, by their paths in the plan, `links.a`.
///
/// A step that gives nothing, such as one whose output is `()`, is not in it, nor one that failed and was
/// passed over. Its serde form is an object with the outputs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PlanOutputs {
    all: Vec<(String, Json)>,
}

impl PlanOutputs {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub fn of(tree: &Tree, slots: &PlanSlots) -> Self {
        let given = |node: usize| {
            let json = slots.at(tree, node).json()??;
            Some((path::join(tree.names(node)), json.clone()))
        };
        let all = match &tree.outputs {
            Some(nodes) => nodes.iter().copied().filter_map(given).collect(),
            None => tree.all_steps().filter_map(given).collect(),
        };
        Self { all }
    }

    /// Returns the output of the step with this path in the plan; `None` if it gave none.
    ///
    /// # Errors
    ///
    /// Returns an error if the output is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, serde_json::Error> {
        self.json(step).map(Json::decode).transpose()
    }

    /// Returns the same as JSON.
    pub fn json(&self, step: &str) -> Option<&Json> {
        let mut all = self.all.iter();
        all.find(|(path, _)| path == step).map(|(_, json)| json)
    }

    /// Returns all outputs, in the order of the plan.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.all.iter().map(|(path, json)| (&**path, json))
    }
}

impl fmt::Debug for PlanOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for PlanOutputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.all.len()))?;
        for (path, json) in &self.all {
            map.serialize_entry(path, json)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PlanOutputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = PlanOutputs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the outputs of a plan's steps")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PlanOutputs, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(PlanOutputs { all })
            }
        }
        deserializer.deserialize_map(All)
    }
}
