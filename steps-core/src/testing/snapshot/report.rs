//! What is wrong, and what to do about it, in words.

use std::fmt;

use crate::model::compat;

/// One thing about the compiled flow that would strand an execution of the snapshot's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The line; of the whole flow, nothing.
    pub(super) path: String,
    pub(super) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    FlowRenamed {
        from: String,
    },
    InputAdded {
        name: &'static str,
        ty: &'static str,
    },
    InputGone {
        name: String,
    },
    /// It is gone, and one that is new has its type.
    InputRenamed {
        from: String,
        to: &'static str,
    },
    /// Of the whole flow: its output has another type.
    Output(String),
    /// It calls another function.
    Calls {
        was: String,
        is: &'static str,
    },
    /// A `loop` may have fewer rounds.
    Bound {
        max: u32,
    },
    InputRetyped {
        name: &'static str,
        was: String,
        is: &'static str,
    },
    /// It is gone, and a line that is new beside it is alike.
    Renamed {
        from: String,
        to: &'static str,
    },
    AliasGone {
        alias: String,
    },
    /// It is gone; a line of its name may stand somewhere else.
    Gone {
        name: String,
        now_at: Option<String>,
    },
    Added {
        before: String,
    },
    AddedInDone,
    Moved {
        before: String,
    },
    /// Another line of a `parallel` uses its value, and may have begun without it.
    Unordered {
        user: &'static str,
    },
    NotOptional,
    NotVolatile,
    /// It can't take what was saved of it.
    Misfit(String),
    /// A value that may have been saved of it can't be read.
    Unread(String),
    /// The same of a field of the input.
    InputUnread {
        name: &'static str,
        why: String,
    },
    /// The type of its output, or of a field of the input, has this field no more.
    FieldGone {
        input: Option<&'static str>,
        field: String,
    },
}

/// What to do where a type does not read what was saved.
const KEEP_TYPE: &str = "a field that is new in its type wants `#[serde(default)]`, and one that was renamed \
     `#[serde(alias = \"…\")]` with its old name; otherwise keep the type as it was";

impl Finding {
    /// Whether it says that the line at this path is new, or stands where it can't.
    pub(super) fn is_added(&self, path: &str) -> bool {
        self.path == path
            && matches!(
                self.what,
                What::Added { .. } | What::AddedInDone | What::Moved { .. }
            )
    }

    /// Whether it strands no execution, and is only to be known.
    pub(super) fn is_note(&self) -> bool {
        matches!(
            self.what,
            What::Output(_) | What::Calls { .. } | What::FieldGone { .. }
        )
    }

    /// What was found, and then what to do.
    fn texts(&self) -> (String, String) {
        let path = &self.path;
        let of = match path.as_str() {
            "" => "the input".to_owned(),
            path => format!("the input of `{path}`"),
        };
        match &self.what {
            What::FlowRenamed { from } => (
                format!("the flow is not known as `{from}` any more"),
                format!("write `#[flow(alias = \"{from}\")]`"),
            ),
            What::InputAdded { .. }
            | What::InputGone { .. }
            | What::InputRenamed { .. }
            | What::InputRetyped { .. } => self.of_input(&of),
            What::Output(why) => (
                format!("the flow has another output: {why}"),
                "what executions that are done have given is read as the new type".to_owned(),
            ),
            What::Calls { was, is } => (
                format!("`{path}` called `{was}`, and calls `{is}` now"),
                format!(
                    "what `{was}` did is taken back by the undo of `{is}`; if it can't be, keep the \
                     line, and write the new one behind the flow's last step"
                ),
            ),
            What::Bound { max } => (
                format!("`{path}` may have begun more than {max} rounds, which are its most now"),
                "keep the bound".to_owned(),
            ),
            What::Renamed { from, to } => (
                format!("`{path}` is gone"),
                format!(
                    "if `{to}` is its new name, write `#[step(alias = \"{from}\")]` on that line; \
                     otherwise keep it"
                ),
            ),
            What::AliasGone { alias } => (
                format!("`{path}` is not known as `{alias}` any more"),
                format!("write `#[step(alias = \"{alias}\")]` on that line"),
            ),
            What::Gone {
                now_at: Some(now), ..
            } => (
                format!("`{path}` is gone, and `{now}` is new"),
                "move it back: what was saved of it is looked for where it stood".to_owned(),
            ),
            What::Gone { name, now_at: None } => (
                format!("`{path}` is gone"),
                format!("keep it; if it was renamed, write `#[step(alias = \"{name}\")]` there"),
            ),
            What::Added { before } => (
                format!("`{path}` is new, and stands before `{before}`, which may have begun"),
                "put it behind the flow's last step".to_owned(),
            ),
            What::AddedInDone => (
                format!("`{path}` is new in a group that may be done, and would have no value"),
                "put it behind the flow's last step".to_owned(),
            ),
            What::Moved { before } => (
                format!("`{path}` was moved before `{before}`, which may have begun without it"),
                "keep the order".to_owned(),
            ),
            What::Unordered { user } => (
                format!("`{path}`: {}", compat::without_it(user)),
                format!("keep `{user}` as it was; a line of another name can use the value"),
            ),
            What::NotOptional => (
                format!(
                    "`{path}` is neither `#[optional]` nor `#[caught]` any more, and may have failed"
                ),
                "keep the mark".to_owned(),
            ),
            What::NotVolatile => (
                format!("`{path}` is not `volatile` any more, and its output was not saved"),
                "keep the mark".to_owned(),
            ),
            What::Unread(_) | What::InputUnread { .. } | What::FieldGone { .. } => {
                self.of_type(&of)
            }
            What::Misfit(why) => (
                format!("`{path}` does not fit: {why}"),
                "keep it as it was; what is new can be a line of another name, behind the flow's \
                 last step"
                    .to_owned(),
            ),
        }
    }

    /// What was found of an input, which is called this, and then what to do.
    fn of_input(&self, of: &str) -> (String, String) {
        match &self.what {
            What::InputAdded { name, ty } => (
                format!("{of} has a new field, `{name}: {ty}`, which was not saved"),
                format!("make it an `Option<{ty}>`"),
            ),
            What::InputGone { name } => (
                format!("{of} had a field `{name}`, which no parameter takes"),
                format!(
                    "if a parameter was renamed, write `#[alias = \"{name}\"]` before it; otherwise \
                     keep it"
                ),
            ),
            What::InputRenamed { from, to } => (
                format!("{of} had a field `{from}`, which no parameter takes, and `{to}` is new"),
                format!(
                    "if `{to}` is its new name, write `#[alias = \"{from}\"]` before it; otherwise \
                     keep `{from}`, and make `{to}` an `Option`"
                ),
            ),
            What::InputRetyped { name, was, is } => (
                format!("{of} had `{name}: {was}`, and has `{name}: {is}` now"),
                "keep its type; what is new can be a parameter of another name, an `Option`"
                    .to_owned(),
            ),
            _ => Default::default(),
        }
    }

    /// What was found of a type, and then what to do. The input is called this.
    fn of_type(&self, input_of: &str) -> (String, String) {
        let path = &self.path;
        match &self.what {
            What::InputUnread { name, why } => (
                format!("{input_of} does not fit: `{name}`: {why}"),
                KEEP_TYPE.to_owned(),
            ),
            What::FieldGone { input, field } => {
                let had = match input {
                    Some(name) => format!("{input_of}: `{name}` had"),
                    None if path.is_empty() => "the output of the flow had".to_owned(),
                    None => format!("`{path}` gave"),
                };
                (
                    format!("{had} a field `{field}`, which is read no more"),
                    format!(
                        "if it has another name now, write `#[serde(alias = \"…\")]` with the last \
                         part of `{field}` on that field; otherwise what was saved of it is lost"
                    ),
                )
            }
            What::Unread(why) => (
                format!("`{path}` does not fit: {why}"),
                KEEP_TYPE.to_owned(),
            ),
            _ => Default::default(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, advice) = self.texts();
        write!(f, "  * {what}\n    → {advice}")
    }
}

/// Why the assertion fails.
#[derive(Debug)]
pub(super) enum Problem<'a> {
    Missing,
    Unreadable(String),
    Unwritable(String),
    Mode(String),
    Strands(&'a [Finding]),
    /// It fits, and has changed; and this is to be known of it.
    Stale(&'a [Finding]),
}

fn listed(findings: &[Finding]) -> String {
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    findings.join("\n")
}

/// The problem in full.
pub(super) fn message(flow: &str, file: &str, problem: &Problem<'_>) -> String {
    match problem {
        Problem::Missing => format!(
            "the flow `{flow}` has no snapshot yet: there is no file {file}, and nothing was \
             written. Write it, and commit it:\n\n    STEPS_SNAPSHOT=update cargo test\n"
        ),
        Problem::Unreadable(why) => format!(
            "the snapshot {file} of the flow `{flow}` can't be read: {why}. Get it back from where \
             you keep your versions, as it tells which executions may be running; or, if there are \
             none, write it anew:\n\n    STEPS_SNAPSHOT=overwrite cargo test\n"
        ),
        Problem::Unwritable(why) => {
            format!("the snapshot {file} of the flow `{flow}` can't be written: {why}")
        }
        Problem::Mode(mode) => format!(
            "STEPS_SNAPSHOT is `{mode}`: it may be `update`, which writes what strands no \
             execution, or `overwrite`, which writes in any case"
        ),
        Problem::Stale(notes) => format!(
            "the flow `{flow}` fits all executions of the version in {file}, and has changed since. \
             {}Write the file anew, and commit it with the change, as the next change has to fit the \
             executions of this version:\n\n    STEPS_SNAPSHOT=update cargo test\n",
            match notes {
                [] => String::new(),
                notes => format!("Is this meant?\n\n{}\n\n", listed(notes)),
            }
        ),
        Problem::Strands(findings) => {
            let findings = listed(findings);
            format!(
                "the flow `{flow}` would strand executions of the version in {file}:\n\n{findings}\n\n\
                 If that can't be: leave that flow as it was, and serve it until its executions have \
                 ended; give this one a name of its own, and start new executions with it.\n\
                 If no execution of that version is left, or its values can be read all the same \
                 (such as `u32` as `u64`), write the file anew:\n\n    \
                 STEPS_SNAPSHOT=overwrite cargo test\n"
            )
        }
    }
}
