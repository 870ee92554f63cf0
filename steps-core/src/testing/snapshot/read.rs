//! Reads a snapshot from its file. Errors name the place in it.

use serde_json::{Map, Value};

use super::{
    tree::{FIRST_SIGNAL, FlowSnapshot, LineSnapshot, WorkSnapshot},
    write::FORMAT,
};
use crate::model::state::{Kind, StepKind};

/// Reads the text of the file.
///
/// Returns whether it is in an older form, too.
pub(super) fn read(text: &str) -> Result<(FlowSnapshot, IsOlder), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut object = Object::of(value, String::new())?;
    let format = object.0.remove("format");
    match format.as_ref().and_then(Value::as_u64) {
        Some(FIRST) => flow(object, FIRST).map(|flow| (flow, IsOlder(true))),
        Some(FORMAT) => flow(object, FORMAT).map(|flow| (flow, IsOlder(false))),
        Some(newer) if newer > FORMAT => Err(format!(
            "it has format {newer}, and this version of `steps` reads formats up to {FORMAT}"
        )),
        _ => Err("it has no `format`".to_owned()),
    }
}

/// The first form, which says less.
const FIRST: u64 = 1;

/// Whether a file is in an older form, which says less.
#[derive(Clone, Copy)]
pub(super) struct IsOlder(pub(super) bool);

/// An object, and where it stands.
struct Object(Map<String, Value>, String);

impl Object {
    fn of(value: Value, place: String) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(Self(map, place)),
            _ => Err(format!("{} is no object", shown(&place))),
        }
    }

    fn place(&self, field: &str) -> String {
        format!("{}/{field}", self.1)
    }

    fn text(&mut self, field: &str) -> Result<String, String> {
        match self.0.remove(field) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(format!("`{}` is no text", self.place(field))),
        }
    }

    fn maybe_text(&mut self, field: &str) -> Result<Option<String>, String> {
        if self.0.contains_key(field) {
            self.text(field).map(Some)
        } else {
            Ok(None)
        }
    }

    fn number(&mut self, field: &str) -> Result<u32, String> {
        match self.0.remove(field) {
            None => Ok(0),
            Some(value) => value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| format!("`{}` is no number", self.place(field))),
        }
    }

    fn flag(&mut self, field: &str) -> Result<bool, String> {
        match self.0.remove(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            _ => Err(format!("`{}` is neither true nor false", self.place(field))),
        }
    }

    fn list(&mut self, field: &str) -> Result<Vec<Value>, String> {
        match self.0.remove(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            _ => Err(format!("`{}` is no list", self.place(field))),
        }
    }

    fn texts(&mut self, field: &str) -> Result<Vec<String>, String> {
        let place = self.place(field);
        let text = |value| match value {
            Value::String(text) => Ok(text),
            _ => Err(format!("`{place}` has what is no text")),
        };
        self.list(field)?.into_iter().map(text).collect()
    }

    fn lines(&mut self, field: &str, form: u64) -> Result<Vec<LineSnapshot>, String> {
        let place = self.place(field);
        let lines = self.list(field)?.into_iter().enumerate();
        lines
            .map(|(index, value)| line(Object::of(value, format!("{place}/{index}"))?, form))
            .collect()
    }

    /// Refuses what was not read: it would be lost.
    fn end(self) -> Result<(), String> {
        match self.0.keys().next() {
            Some(field) => Err(format!("`{}` is not known", self.place(field))),
            None => Ok(()),
        }
    }
}

fn shown(place: &str) -> String {
    match place {
        "" => "it".to_owned(),
        place => format!("`{place}`"),
    }
}

fn flow(mut object: Object, form: u64) -> Result<FlowSnapshot, String> {
    let input = match object.0.remove("input") {
        None => Object(Map::new(), String::new()),
        Some(input) => Object::of(input, object.place("input"))?,
    };
    let fields: Vec<String> = input.0.keys().cloned().collect();
    let mut input = input;
    let mut shown = match object.0.remove("inputExamples") {
        None => Object(Map::new(), String::new()),
        Some(shown) => Object::of(shown, object.place("inputExamples"))?,
    };
    let examples_of: Vec<String> = shown.0.keys().cloned().collect();
    let examples_of = examples_of.into_iter();
    let input_examples = examples_of
        .map(|name| shown.list(&name).map(|examples| (name, examples)))
        .collect::<Result<_, _>>()?;
    let mut field = |name: String| input.text(&name).map(|ty| (name, ty));
    let flow = FlowSnapshot {
        name: object.text("name")?,
        aliases: object.texts("aliases")?,
        input: fields
            .into_iter()
            .map(&mut field)
            .collect::<Result<_, _>>()?,
        input_examples,
        output: object.text("output")?,
        output_examples: object.list("outputExamples")?,
        lines: object.lines("steps", form)?,
    };
    object.end()?;
    Ok(flow)
}

fn line(mut object: Object, form: u64) -> Result<LineSnapshot, String> {
    let (name, aliases) = (object.text("name")?, object.texts("aliases")?);
    let optional = object.flag("optional")?;
    let calls = object.maybe_text("calls")?.unwrap_or_default();
    let needs = object.texts("needs")?;
    let kind = object.text("kind")?;
    let is_first = form == FIRST;
    let work = match Kind::from_name(&kind) {
        Some(Kind::Step) => {
            let output = object.text("output")?;
            let examples = object.list("examples")?;
            let kind = if object.flag("volatile")? {
                Some(Some(StepKind::Volatile))
            } else if is_first {
                (output == FIRST_SIGNAL).then_some(Some(StepKind::Signal))
            } else {
                let step = object.maybe_text("step")?;
                let place = object.place("step");
                let known = step.map(|step| {
                    StepKind::from_name(&step).ok_or(format!("`{place}` is not known: {step}"))
                });
                let known = known.transpose()?;
                // In an early file, a `let` line is what calls nothing.
                Some(known.or(calls.is_empty().then_some(StepKind::Let)))
            };
            WorkSnapshot::Step {
                output,
                examples,
                kind,
            }
        }
        Some(Kind::Group) => WorkSnapshot::Group(object.lines("steps", form)?),
        Some(Kind::Parallel) => WorkSnapshot::Parallel(object.lines("steps", form)?),
        Some(Kind::Race) => WorkSnapshot::Race(object.lines("steps", form)?),
        Some(Kind::Match) => WorkSnapshot::Match {
            value: object.text("matches")?,
            arms: object.lines("arms", form)?,
        },
        Some(Kind::For) => WorkSnapshot::For {
            items: object.maybe_text("items")?,
            lines: object.lines("steps", form)?,
        },
        Some(Kind::Loop) => WorkSnapshot::Loop {
            max: Some(object.number("max")?).filter(|_| !is_first),
            lines: object.lines("steps", form)?,
        },
        Some(Kind::If) => WorkSnapshot::If {
            value: object.maybe_text("matches")?,
            then: object.lines("then", form)?,
            otherwise: object.lines("else", form)?,
        },
        Some(Kind::Flow) => {
            let place = object.place("flow");
            let inner = object.0.remove("flow").unwrap_or_default();
            WorkSnapshot::Flow(flow(Object::of(inner, place)?, form)?)
        }
        Some(Kind::Item | Kind::Round) | None => {
            return Err(format!("`{}` is not known: {kind}", object.place("kind")));
        }
    };
    object.end()?;
    Ok(LineSnapshot {
        name,
        aliases,
        optional,
        calls,
        needs,
        work,
    })
}
