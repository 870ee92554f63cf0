//! Reads a plan from JSON: its form, which `write` writes.

use std::collections::BTreeMap;

use super::{
    draft::{Called, Draft, DraftArg, DraftGroup, DraftPlan, Mark, OfStep, What},
    error::PlanProblem,
};
use crate::{
    base::{json::Json, similar::similar},
    model::table::planned::MAX_GROUPS,
};

pub(super) const STEPS: &str = "steps";
pub(super) const OUTPUTS: &str = "outputs";
pub(super) const NAME: &str = "name";
pub(super) const STEP: &str = "step";
pub(super) const ARGS: &str = "args";
pub(super) const FROM: &str = "from";
pub(super) const AT: &str = "at";
pub(super) const OPTIONAL: &str = "optional";
pub(super) const PIVOT: &str = "pivot";
pub(super) const IN_ORDER: &str = "in_order";
pub(super) const PARALLEL: &str = "parallel";
pub(super) const AT_ONCE: &str = "at_once";

/// The fields of a plan, of a step and of a group.
const WHOLE: &[&str] = &[STEPS, OUTPUTS];
const OF_STEP: &[&str] = &[NAME, STEP, ARGS, FROM, OPTIONAL, PIVOT];
const OF_GROUP: &[&str] = &[NAME, IN_ORDER, PARALLEL, AT_ONCE];

/// Reads a plan. What can't be read is left out, and is among the problems.
pub(super) fn read(json: &Json) -> (DraftPlan, Vec<PlanProblem>) {
    let mut read = Read {
        names: Vec::new(),
        problems: Vec::new(),
    };
    let mut draft = DraftPlan {
        steps: DraftGroup::in_order(),
        outputs: None,
    };
    if let Some(mut fields) = read.fields(json, "a plan is an object, `{\"steps\": […]}`") {
        match fields.remove(STEPS) {
            Some(steps) => draft.steps.steps = read.steps(&steps, 0),
            None => read.say("it has no `steps`: the list of what it does"),
        }
        let outputs: Option<Option<Vec<String>>> =
            read.field(&mut fields, OUTPUTS, "a list of paths");
        draft.outputs = outputs
            .flatten()
            .map(|paths| paths.into_iter().map(OfStep::Text).collect());
        read.no_others(&fields, "a plan", WHOLE);
    }
    (draft, read.problems)
}

type Fields = BTreeMap<String, Json>;

struct Read {
    /// The names that lead to where the reader is.
    names: Vec<String>,
    problems: Vec<PlanProblem>,
}

impl Read {
    fn say(&mut self, why: impl Into<String>) {
        self.problems.push(PlanProblem::new(&self.names, why));
    }

    fn fields(&mut self, json: &Json, is: &str) -> Option<Fields> {
        match json.decode() {
            Ok(fields) => Some(fields),
            Err(_) => {
                self.say(format!("{is}, and this is {}", short(json)));
                None
            }
        }
    }

    /// Takes a field off; `None` if it is missing, or if it can't be read, which is told.
    fn field<T: serde::de::DeserializeOwned>(
        &mut self,
        fields: &mut Fields,
        name: &str,
        is: &str,
    ) -> Option<T> {
        let json = fields.remove(name)?;
        match json.decode() {
            Ok(value) => Some(value),
            Err(_) => {
                self.say(format!("`{name}` is {is}, and this is {}", short(&json)));
                None
            }
        }
    }

    fn no_others(&mut self, fields: &Fields, what: &str, known: &[&str]) {
        for name in fields.keys() {
            let meant = similar(name, known.iter().copied());
            self.say(match meant {
                Some(meant) => format!("{what} has no `{name}`; did you mean `{meant}`?"),
                None => format!(
                    "{what} has no `{name}`; it may have `{}`",
                    known.join("`, `")
                ),
            });
        }
    }

    fn steps(&mut self, json: &Json, depth: usize) -> Vec<Draft> {
        let Ok(list) = json.decode::<Vec<Json>>() else {
            self.say(format!("its steps are a list, and this is {}", short(json)));
            return Vec::new();
        };
        let steps = list.iter().enumerate();
        steps
            .filter_map(|(index, json)| self.step(index, json, depth))
            .collect()
    }

    fn step(&mut self, index: usize, json: &Json, depth: usize) -> Option<Draft> {
        // Until its name is known.
        self.names.push(format!("[{index}]"));
        let draft = self.named(json, depth);
        self.names.pop();
        draft
    }

    fn named(&mut self, json: &Json, depth: usize) -> Option<Draft> {
        let mut fields = self.fields(
            json,
            "a step is an object, such as `{\"name\": \"a\", \"step\": \"…\"}`",
        )?;
        let name: Option<String> = self.field(&mut fields, NAME, "a text");
        let step: Option<String> = self.field(&mut fields, STEP, "the name of a step");
        // A step that is done once needs no other name.
        let name = name.or_else(|| step.clone());
        if let (Some(own), Some(name)) = (self.names.last_mut(), &name) {
            own.clone_from(name);
        }
        let what = match step {
            Some(step) => {
                let what = self.called(step, &mut fields);
                self.no_others(&fields, "a step", OF_STEP);
                what
            }
            None => {
                let group = self.group(&mut fields, depth)?;
                self.no_others(&fields, "a group", OF_GROUP);
                What::Group(group)
            }
        };
        match name {
            Some(name) => Some(Draft { name, what }),
            None => {
                self.say("it has no `name`");
                None
            }
        }
    }

    fn called(&mut self, step: String, fields: &mut Fields) -> What {
        let values: Option<Fields> = self.field(fields, ARGS, "an object with the arguments");
        let from: Option<BTreeMap<String, Json>> = self.field(
            fields,
            FROM,
            "an object with the arguments that other steps give",
        );
        let values = values.into_iter().flatten();
        let mut args: Vec<(String, DraftArg)> = values
            .map(|(name, value)| (name, DraftArg::Value(compact(value))))
            .collect();
        for (name, json) in from.into_iter().flatten() {
            if let Some(arg) = self.from(&name, &json) {
                args.push((name, arg));
            }
        }
        let optional = self.flag(fields, OPTIONAL);
        let pivot = self.flag(fields, PIVOT);
        let mark = match (optional, pivot) {
            (true, true) => {
                self.say(
                    "it is `optional` and a `pivot`: a pivot that fails must not be passed over",
                );
                Mark::None
            }
            (true, false) => Mark::Optional,
            (false, true) => Mark::Pivot,
            (false, false) => Mark::None,
        };
        What::Step {
            step: Called::Name(step),
            args,
            mark,
        }
    }

    fn flag(&mut self, fields: &mut Fields, name: &str) -> bool {
        self.field(fields, name, "`true` or `false`")
            .unwrap_or(false)
    }

    /// Reads where an argument comes from: a path, or `{"step": path, "at": pointer}`.
    fn from(&mut self, arg: &str, json: &Json) -> Option<DraftArg> {
        if let Ok(step) = json.decode() {
            return Some(DraftArg::From {
                step: OfStep::Text(step),
                at: String::new(),
            });
        }
        let is = format!(
            "its argument `{arg}` comes from a step, `\"path\"` or `{{\"step\": \"path\", \"at\": \"/field\"}}`"
        );
        let mut fields = self.fields(json, &is)?;
        let step: Option<String> = self.field(&mut fields, STEP, "the path of a step");
        let at: Option<String> = self.field(&mut fields, AT, "a JSON pointer");
        self.no_others(&fields, &format!("where `{arg}` comes from"), &[STEP, AT]);
        let Some(step) = step else {
            self.say(format!("{is}, and here is no `step`"));
            return None;
        };
        Some(DraftArg::From {
            step: OfStep::Text(step),
            at: at.unwrap_or_default(),
        })
    }

    fn group(&mut self, fields: &mut Fields, depth: usize) -> Option<DraftGroup> {
        let at_once: Option<Option<usize>> = self.field(fields, AT_ONCE, "a number, 1 or more");
        let at_once = at_once.flatten();
        let (steps, at_once) = match (fields.remove(IN_ORDER), fields.remove(PARALLEL)) {
            (Some(steps), None) => {
                if at_once.is_some() {
                    self.say("`at_once` is for a group that is `parallel`");
                }
                (steps, 1)
            }
            (None, Some(steps)) => (steps, at_once.unwrap_or(usize::MAX)),
            (Some(_), Some(_)) => {
                self.say("it is `in_order` and `parallel`: it can be one of them");
                return None;
            }
            (None, None) => {
                self.no_others(fields, "a step", &[OF_STEP, OF_GROUP].concat());
                self.say(
                    "it has neither a `step` to call, nor steps that are `in_order` or `parallel`",
                );
                return None;
            }
        };
        if depth >= MAX_GROUPS {
            // A draft with one group too many: the check says so.
            return Some(DraftGroup {
                at_once,
                steps: Vec::new(),
            });
        }
        let steps = self.steps(&steps, depth + 1);
        Some(DraftGroup { at_once, steps })
    }
}

/// Returns the value without the spaces and line ends between its parts: two plans are the same however they are
/// laid out. Numbers stay as they are written.
fn compact(json: Json) -> Json {
    let mut text = String::with_capacity(json.get().len());
    let (mut in_text, mut is_escaped) = (false, false);
    for letter in json.get().chars() {
        let is_space = matches!(letter, ' ' | '\n' | '\r' | '\t');
        if in_text || !is_space {
            text.push(letter);
        }
        in_text ^= letter == '"' && !is_escaped;
        is_escaped = in_text && letter == '\\' && !is_escaped;
    }
    Json::parse(text).unwrap_or(json)
}

/// Returns the beginning of a value.
fn short(json: &Json) -> String {
    const MOST: usize = 40;
    let text = json.get();
    if text.chars().count() <= MOST {
        return format!("`{text}`");
    }
    let begins: String = text.chars().take(MOST).collect();
    format!("`{begins}…`")
}

#[cfg(test)]
mod tests {
    use super::compact;
    use crate::base::json::Json;

    #[test]
    fn spaces_go_only_between_the_parts() {
        let compacted = |text: &str| compact(Json::parse(text).unwrap()).get().to_owned();
        for (written, compact) in [
            (
                r#"{ "a b" : [ 1.50 , "c\\" , " d\" e " ] }"#,
                r#"{"a b":[1.50,"c\\"," d\" e "]}"#,
            ),
            ("[\n\t1,\r\n 2 ]", "[1,2]"),
            ("null", "null"),
        ] {
            assert_eq!(compacted(written), compact);
        }
    }
}
