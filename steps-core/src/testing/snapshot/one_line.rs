//! What may have been saved of one line of the snapshot, and whether the compiled line can take it.

use std::borrow::Cow;

use super::{
    examples,
    report::What,
    tree::{FIRST_SIGNAL, LineSnapshot, WorkSnapshot},
};
use crate::{
    base::json::Json,
    model::{
        compat,
        compat::Outputs,
        state::{Kind, NodeData, State, StepKind},
        status::Status,
        table::{Line, Work},
    },
};

impl LineSnapshot {
    /// Why the line can't take what was saved of it, if it can't in some state.
    pub(super) fn misfit(&self, node: &Line) -> Option<What> {
        for status in [Status::Running, Status::Done] {
            let mut state = self.state(0, status);
            match (&self.work, &node.work) {
                // The file does not say.
                (WorkSnapshot::Step { kind: None, .. }, Work::Step(meta)) => {
                    state.node.step_kind = meta.kind;
                }
                // The name says nothing, or less than examples do.
                (
                    WorkSnapshot::Step {
                        output, examples, ..
                    },
                    Work::Step(meta),
                ) if state.output.is_some()
                    && (output == FIRST_SIGNAL && meta.is_signal() || !examples.is_empty()) =>
                {
                    state.node.output = Json::encode(meta.output).ok();
                }
                _ => {}
            }
            if let Some(why) = compat::misfit(node, &state, false, Outputs::Types) {
                return Some(match state.step_kind {
                    Some(StepKind::Volatile) if node.kind() == Kind::Step => What::NotVolatile,
                    _ => What::Misfit(why),
                });
            }
        }
        if let (
            WorkSnapshot::Step {
                output, examples, ..
            },
            Work::Step(meta),
        ) = (&self.work, &node.work)
            && !meta.is_volatile()
            && let Some(why) = examples::unread(examples, meta.check)
        {
            return Some(What::Unread(if output == meta.output {
                why
            } else {
                format!("it gave `{output}`, and gives `{}` now: {why}", meta.output)
            }));
        }
        let retyped = |what: &str, was: Option<&String>, is: &'static str| {
            let was = was.filter(|was| *was != is)?;
            Some(What::Misfit(format!(
                "{what} was of the type `{was}`, and is of `{is}` now"
            )))
        };
        match (&self.work, &node.work) {
            (WorkSnapshot::For { items: was, .. }, Work::For { items, .. }) => {
                retyped("an item", was.as_ref(), items.type_name())
            }
            (
                WorkSnapshot::If { value: was, .. },
                Work::If {
                    value: Some(value), ..
                },
            ) => retyped("the value that it matches", was.as_ref(), value.type_name()),
            (WorkSnapshot::Match { value: was, .. }, Work::Match { value, .. }) => {
                retyped("the value that it matches", Some(was), value.type_name())
            }
            (WorkSnapshot::Loop { max: Some(was), .. }, Work::Loop { max, .. })
                if *max != 0 && (*was == 0 || max < was) =>
            {
                Some(What::Bound { max: *max })
            }
            _ => None,
        }
    }

    /// The line, saved in this status under one of its names, without what is below. The text of its
    /// output's type stands for the output: see [`Outputs::Types`].
    pub(super) fn state(&self, name: usize, status: Status) -> State {
        let saved = self.names().nth(name).unwrap_or(&self.name);
        let output = match &self.work {
            // It is `null`, which is not saved.
            WorkSnapshot::Step { output, .. } if output == "()" => None,
            WorkSnapshot::Step {
                kind: Some(Some(StepKind::Volatile)),
                ..
            } => None,
            WorkSnapshot::Step { output, .. } if status == Status::Done => {
                Json::encode(output).ok()
            }
            _ => None,
        };
        State::from(NodeData {
            name: Cow::Owned(saved.to_owned()),
            kind: self.work.kind(),
            status,
            started_at: Some(jiff::Timestamp::UNIX_EPOCH),
            output,
            step_kind: match self.work {
                WorkSnapshot::Step { kind, .. } => kind.flatten(),
                _ => None,
            },
            ..NodeData::default()
        })
    }
}

impl WorkSnapshot {
    /// What the saved tree calls it.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Step { .. } => Kind::Step,
            Self::Group(_) => Kind::Group,
            Self::Parallel(_) => Kind::Parallel,
            Self::Race(_) => Kind::Race,
            Self::Match { .. } => Kind::Match,
            Self::If { .. } => Kind::If,
            Self::For { .. } => Kind::For,
            Self::Loop { .. } => Kind::Loop,
            Self::Flow(_) => Kind::Flow,
        }
    }
}
