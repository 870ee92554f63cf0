//! The JSON schema of a state, behind the feature `schemars`. It describes what is written, and the
//! list `errs`, which is only read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Ending, FailureCause, Kind, State, StepKind};
use crate::model::{status::Status, task::TaskStatus};

impl JsonSchema for State {
    fn schema_name() -> Cow<'static, str> {
        "State".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::State").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let node = generator.subschema_for::<Self>();
        let time = json_schema!({ "type": ["string", "null"], "format": "date-time" });
        let count = json_schema!({ "type": "integer", "minimum": 0 });
        let mut schema = json_schema!({
            "type": "object",
            "description": "One node of the saved tree of an execution, with all that is below it.",
            "required": ["name"],
            "properties": {
                "name": { "type": "string" },
                "info": { "description": "The step's own working data." },
                "err": { "type": "string", "description": "The errors as one text, empty where there is none." },
                "errs": { "type": ["array", "null"], "items": { "type": "string" }, "description": "The errors one by one." },
                "errsLeftOut": { "type": "integer", "minimum": 0, "description": "How many errors after the first are not in the list." },
                "startedAt": time,
                "doneAt": time,
                "status": { "enum": Status::ALL.map(Status::as_str) },
                "kind": { "enum": Kind::ALL.map(Kind::as_str), "default": Kind::Step.as_str() },
                "input": { "description": "What it was given." },
                "decision": { "type": "boolean" },
                "output": { "description": "What it gave, once done." },
                "attempts": count,
                "before": { "description": "What was observed before it began." },
                "after": { "description": "What was observed after it was done." },
                "progress": {
                    "type": "object",
                    "properties": { "done": count, "total": count },
                    "additionalProperties": false,
                },
                "undo": {
                    "type": "object",
                    "description": "Its rollback, once begun.",
                    "properties": {
                        "err": { "type": "string" },
                        "startedAt": time,
                        "doneAt": time,
                        "attempts": count,
                        "deaths": count,
                        "until": time,
                        "resolved": { "enum": ["skipped", "undone"] },
                    },
                    "additionalProperties": false,
                },
                "until": {
                    "description": "What it waits for.",
                    "anyOf": [{ "enum": ["signal", "child", "report"] }, { "type": "string", "format": "date-time" }],
                },
                "parallel": { "type": "boolean", "description": "Whether the items of a for run at once." },
                "cause": {
                    "description": "Why it failed, where that is not simply its own error.",
                    "enum": FailureCause::ALL.map(FailureCause::as_str),
                },
                "verifyOwed": { "type": "boolean", "description": "Whether its verify has to be asked before the next attempt." },
                "failures": count,
                "deaths": { "type": "integer", "minimum": 0, "description": "How many attempts in a row ended with the death of their process." },
                "generation": { "type": "integer", "minimum": 0, "description": "Which doing of the step this is; of the root, of those that begin now." },
                "afterErr": { "type": "string" },
                "ending": {
                    "description": "The handler that is still to be called.",
                    "enum": Ending::ALL.map(Ending::as_str),
                },
                "onDoneErr": { "type": "string" },
                "onFailedErr": { "type": "string" },
                "onStoppedErr": { "type": "string" },
                "instance": { "type": "string", "description": "What tells the execution from others that have had its id." },
                "id": { "type": ["string", "null"], "minLength": 1, "maxLength": 255 },
                "labels": { "type": ["object", "null"], "additionalProperties": { "type": "string" } },
                "states": { "type": ["array", "null"], "items": node },
            },
        });
        let more = more_fields();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let (Some(properties), Some(more)) = (properties, more.as_object()) {
            properties.extend(more.clone());
        }
        schema
    }
}

/// Returns the fields that the one macro above can't hold as well.
fn more_fields() -> Schema {
    json_schema!({
        "stepKind": {
            "enum": StepKind::ALL.map(StepKind::as_str),
            "description": "What a step is, if it is not simply a function that is called.",
        },
        "since": {
            "type": "string",
            "format": "date-time",
            "description": "Of a step that waits for a time, also before its undo is tried again: since when.",
        },
        "waitedNanos": {
            "type": "integer",
            "minimum": 0,
            "description": "Of a step: how long it has waited between its attempts, in nanoseconds.",
        },
        "deadline": {
            "type": "string",
            "format": "date-time",
            "description": "When it must have ended, or gives up waiting for a signal.",
        },
        "begunAfter": {
            "type": "string",
            "description": "Of a line that began after one that stands behind it in the flow: that one.",
        },
        "chosen": {
            "type": "string",
            "description": "Of a `race`: the name of the line that was done first. Of a `match`: that of the arm that was taken.",
        },
        "task": {
            "type": "object",
            "description": "Of an external step that has begun: its task, and what was reported of it.",
            "required": ["id", "revision", "status"],
            "properties": {
                "id": { "type": "string" },
                "revision": { "type": "integer", "minimum": 0 },
                "status": { "enum": TaskStatus::ALL.map(TaskStatus::as_str) },
                "output": {},
                "error": { "type": "string" },
                "checkIn": {},
                "stopAsked": { "type": "boolean" },
                "stopErr": { "type": "string" },
            },
        },
        "needs": {
            "type": "array",
            "items": { "type": "string" },
            "description": "Of a line of a parallel: the lines beside it whose values it uses.",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn names_every_field_that_is_written() {
        let schema = schemars::schema_for!(State);
        let properties = schema.as_value()["properties"].as_object().unwrap();
        let text = r#"{"name":"a","info":1,"err":"x; y","errs":["x","y"],"errsLeftOut":3,"startedAt":null,"doneAt":null,"status":"waiting","kind":"if","stepKind":"sleep","input":2,"decision":true,"output":3,"attempts":2,"before":4,"after":5,"progress":{"done":1,"total":2},"undo":{},"until":"signal","since":"2026-01-01T00:00:00Z","deadline":"2026-01-02T00:00:00Z","parallel":true,"cause":"own","verifyOwed":true,"failures":1,"deaths":2,"waitedNanos":5,"generation":1,"begunAfter":"f","chosen":"h","needs":["g"],"task":{"id":"0123456789abcdef0123456789abcdef.a","revision":1,"status":"done","output":7},"afterErr":"a","ending":"onDone","onDoneErr":"b","onFailedErr":"c","onStoppedErr":"d","instance":"e","id":"00000000-0000-0000-0000-000000000000","labels":{"a":"b"},"states":[]}"#;
        assert_eq!(State::from_json(text).unwrap().to_json(), text);
        let written: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut written: Vec<_> = written.as_object().unwrap().keys().collect();
        let mut known: Vec<_> = properties.keys().collect();
        written.sort();
        known.sort();
        assert_eq!(known, written);
        assert_eq!(properties["states"]["items"]["$ref"], "#");
    }
}
