//! The arguments of a call: made anew for each attempt and for the undo, as the plan has them.

use std::collections::BTreeMap;

use super::{
    error::unreadable,
    registered::Param,
    slots::PlanSlots,
    tree::{Arg, NodeWork, Tree},
};
use crate::{
    base::{
        error::{StepError, caught},
        json::Json,
    },
    language::codec::Codec,
    model::state::path,
};

/// The arguments of a step of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Given<'b> {
    pub(super) tree: &'b Tree,
    pub(super) slots: &'b PlanSlots,
    pub(super) params: &'static [Param],
    pub(super) node: usize,
}

impl Given<'_> {
    /// Returns the argument for a parameter.
    pub fn get<T>(&self, param: usize, codec: Codec<T>) -> Result<T, StepError> {
        let read = |text: &str| caught(|| (codec.decode)(text));
        let args = match &self.tree.nodes[self.node].work {
            NodeWork::Step { args, .. } => &args[..],
            NodeWork::Group { .. } => &[],
        };
        let name = self.params.get(param).map_or("", |param| param.name);
        let bad =
            |error: &_| StepError::fatal(format!("its argument `{name}`: {}", unreadable(error)));
        match args.get(param) {
            Some(Arg::Value(value)) => read(value.get()).map_err(|error| bad(&error)),
            Some(Arg::From { node, at }) => self.from(*node, at, &read).map_err(|why| {
                let from = path::join(self.tree.names(*node));
                let at = match &**at {
                    "" => String::new(),
                    at => format!(", at `{at}`"),
                };
                StepError::fatal(format!("its argument `{name}`, from `{from}`{at}: {why}"))
            }),
            Some(Arg::Missing) | None => read("null").map_err(|error| bad(&error)),
        }
    }

    fn from<T>(
        &self,
        node: usize,
        at: &str,
        read: &dyn Fn(&str) -> Result<T, serde_json::Error>,
    ) -> Result<T, String> {
        let Some(json) = self.slots.at(self.tree, node).json() else {
            return Err("it has no output".to_owned());
        };
        let read = |text: &str| read(text).map_err(|error| unreadable(&error));
        match (json, at) {
            (json, "") => read(json.map_or("null", Json::get)),
            // Of a step that has failed and was passed over there is no part either.
            (None, _) => read("null"),
            (Some(json), at) => match part(json, at) {
                Some(part) => read(part.get()),
                None => Err(format!("its output has nothing there: {}", shown(json))),
            },
        }
    }
}

/// Returns the part of a value that a JSON pointer leads to, as it is written there.
fn part(json: &Json, pointer: &str) -> Option<Json> {
    let mut at = json.clone();
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        at = if at.get().starts_with('[') {
            let list: Vec<Json> = at.decode().ok()?;
            list.into_iter().nth(name.parse().ok()?)?
        } else {
            let mut fields: BTreeMap<String, Json> = at.decode().ok()?;
            fields.remove(&name)?
        };
    }
    Some(at)
}

/// Returns what a value has, for people, without its values.
fn shown(json: &Json) -> String {
    if let Ok(fields) = json.decode::<BTreeMap<String, Json>>() {
        let names = fields.into_keys().map(|name| format!("`/{name}`"));
        let names: Vec<String> = names.collect();
        return if names.is_empty() {
            "it has no fields".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
    }
    match json.decode::<Vec<serde::de::IgnoredAny>>() {
        Ok(list) => format!("it is a list of {}", list.len()),
        Err(_) => "it has no parts".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{part, shown};
    use crate::base::json::Json;

    #[test]
    fn a_pointer_leads_to_a_part() {
        let json = Json::parse(r#"{"a": [1.50, {"b/c": "x"}], "~": null}"#).unwrap();
        let at = |pointer| part(&json, pointer).map(|part| part.get().to_owned());
        assert_eq!(at("/a/0").as_deref(), Some("1.50"));
        assert_eq!(at("/a/1/b~1c").as_deref(), Some("\"x\""));
        assert_eq!(at("/~0").as_deref(), Some("null"));
        for nowhere in ["/b", "/a/2", "/a/x", "/a/0/b", "/"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
        assert_eq!(shown(&json), "it has `/a`, `/~`");
        assert_eq!(shown(&Json::parse("[1]").unwrap()), "it is a list of 1");
        assert_eq!(shown(&Json::parse("1").unwrap()), "it has no parts");
        assert_eq!(shown(&Json::parse("{}").unwrap()), "it has no fields");
    }
}
