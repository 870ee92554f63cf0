//! What of the saved values is not shown.

use std::collections::BTreeSet;

use steps::{
    Attrs, Json, State,
    log::LogLine,
    state::StepKind,
    store::{Condition, ExecutionInfo, Field},
};

use crate::payload::{self, Written};

/// What stands in place of what is hidden.
pub(crate) const HIDDEN: &str = "\"(hidden)\"";

/// The same as a text.
const HIDDEN_TEXT: &str = "(hidden)";

/// The fields that are hidden if nothing else is said, as [`plain`] has them.
const FIELDS: [&str; 14] = [
    "accesstoken",
    "apikey",
    "authorization",
    "bearer",
    "clientsecret",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "token",
];

/// What is hidden.
#[derive(Debug)]
pub(crate) struct Secrets {
    fields: BTreeSet<String>,
    flows: BTreeSet<String>,
    all: bool,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            fields: FIELDS.map(str::to_owned).into(),
            flows: BTreeSet::new(),
            all: false,
        }
    }
}

impl Secrets {
    /// Hides nothing: of what was looked through already.
    pub(crate) fn nothing() -> Self {
        Self {
            fields: BTreeSet::new(),
            flows: BTreeSet::new(),
            all: false,
        }
    }

    pub(crate) fn hide(&mut self, field: &str) {
        self.fields.insert(plain(field));
    }

    pub(crate) fn show(&mut self, field: &str) {
        self.fields.remove(&plain(field));
    }

    pub(crate) fn hide_flow(&mut self, flow: String) {
        self.flows.insert(flow);
    }

    pub(crate) fn hide_all(&mut self) {
        self.all = true;
    }

    /// Whether the value of a field of this name is hidden.
    pub(crate) fn hides(&self, field: &str) -> bool {
        self.fields.contains(&plain(field))
    }

    fn hides_flow(&self, flow: &str) -> bool {
        self.all || self.flows.contains(flow)
    }

    /// Hides what is to be hidden of what is known of an execution.
    pub(crate) fn of_info(&self, info: &mut ExecutionInfo) {
        let hides = self.hides_flow(&info.flow);
        self.value(hides, &mut info.output);
        if hides && !info.attrs.is_empty() {
            info.attrs = Attrs::parse(format!("{{\"attrs\":{HIDDEN}}}")).unwrap_or_default();
        } else if let Some(attrs) = info.attrs.to_json() {
            let shown = payload::write(attrs.get(), Written::Short, self);
            // What can't be read is not shown.
            info.attrs = Attrs::parse(shown).unwrap_or_default();
        }
    }

    /// Hides what is to be hidden of a tree.
    pub(crate) fn of_tree(&self, flow: &str, tree: &mut State) {
        // A step of this name has such a value as its output.
        let hides = self.hides_flow(flow) || self.hides(&tree.name);
        let node = &mut tree.node;
        // Of a child, the id is shown: it is where its own page is.
        let child = node.child_execution();
        for value in [
            &mut node.input,
            &mut node.info,
            &mut node.output,
            &mut node.before,
            &mut node.after,
        ] {
            self.value(hides, value);
        }
        if let Some(id) = child.and_then(|id| Json::encode(&id).ok()) {
            let shown = match node.step_kind {
                Some(StepKind::Start) => &mut node.output,
                _ => &mut node.input,
            };
            *shown = Some(id);
        }
        if let Some(task) = &mut node.task {
            self.value(hides, &mut task.output);
            self.value(hides, &mut task.check_in);
        }
        for (name, value) in &mut node.extra {
            let mut shown = Some(value.clone());
            self.value(hides || self.hides(name), &mut shown);
            *value = shown.unwrap_or_else(hidden);
        }
        for below in &mut tree.states {
            self.of_tree(flow, below);
        }
    }

    /// Hides what is to be hidden of lines of a log, which are texts: all of them, or nothing.
    pub(crate) fn of_log(&self, flow: &str, lines: &mut [LogLine]) {
        for line in lines.iter_mut().filter(|_| self.hides_flow(flow)) {
            HIDDEN_TEXT.clone_into(&mut line.message);
        }
    }

    fn value(&self, hides: bool, value: &mut Option<Json>) {
        let Some(json) = value else { return };
        *json = if hides {
            hidden()
        } else {
            Json::parse(payload::write(json.get(), Written::Short, self))
                .unwrap_or_else(|_| hidden())
        };
    }

    /// The field of a filter that would find out what is hidden, if there is one. A flow whose payloads are
    /// hidden may be asked for by names that are not known here, so no filter may look into attributes then.
    pub(crate) fn asked_for(&self, conditions: &[Condition]) -> Option<String> {
        let hides_some = self.all || !self.flows.is_empty();
        conditions
            .iter()
            .find_map(|condition| match &condition.field {
                Field::Attr(path) => {
                    let is_asked = hides_some || path.parts().any(|name| self.hides(name));
                    is_asked.then(|| format!("attrs.{path}"))
                }
                _ => None,
            })
    }
}

fn hidden() -> Json {
    Json::parse(HIDDEN).unwrap_or_else(|_| unreachable!("a text in quotes"))
}

/// A name without what differs between the ways of writing it: `card_number`, `cardNumber`.
fn plain(name: &str) -> String {
    let letters = name
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secrets: &Secrets, json: &str) -> String {
        payload::write(json, Written::Short, secrets)
    }

    #[test]
    fn a_field_is_hidden_however_its_name_is_written_and_wherever_it_is() {
        let mut secrets = Secrets::default();
        secrets.hide("card_number");
        secrets.show("bearer");
        let json = r#"{"cardNumber":"4111","a":[{"Card-Number":{"x":1}}],"bearer":"b","passWord":12345678901234567890123}"#;
        assert_eq!(
            shown(&secrets, json),
            r#"{"cardNumber":"(hidden)","a":[{"Card-Number":"(hidden)"}],"bearer":"b","passWord":"(hidden)"}"#
        );
    }

    #[test]
    fn a_name_in_other_letters_is_the_same_name() {
        let secrets = Secrets::default();
        assert_eq!(
            shown(&secrets, r#"{"p\u0061ssword":1}"#),
            r#"{"password":"(hidden)"}"#
        );
    }

    #[test]
    fn of_a_whole_flow_nothing_is_left() {
        let mut secrets = Secrets::default();
        secrets.hide_flow("pay".to_owned());
        let json = r#"{"name":"pay","input":{"a":1},"states":[{"name":"x","output":7,"before":1,"after":2,"info":3}]}"#;
        let mut tree = State::from_json(json).unwrap();
        let mut other = tree.clone();
        secrets.of_tree("pay", &mut tree);
        let text = tree.to_json();
        assert_eq!(text.matches("(hidden)").count(), 5, "{text}");
        secrets.of_tree("other", &mut other);
        assert!(!other.to_json().contains("hidden"));
    }
}
