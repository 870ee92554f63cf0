//! The static table that the macros generate for each flow; it contains no user code.
//!
//! The interpreter walks the table along with the [`Scope`](crate::language::scope::Scope)s that
//! hold the values.

mod at;
mod depth;
mod fingerprint;
mod kept;
pub(crate) mod lookup;
pub(crate) mod planned;
mod step;
mod work;

use std::{collections::BTreeMap, time::Duration};

use crate::base::json::Json;

pub(crate) use super::policy::Policy;
use super::state::{Ending, Kind};
pub use depth::check_depth;
pub use fingerprint::fingerprint;
pub use kept::kept_rounds;
pub(crate) use kept::{asks_prev, undoes_by_prev};
pub(crate) use step::SignalMeta;
pub use step::StepMeta;
pub use work::{Way, Work};

/// Checks that a saved value, as JSON text, can be decoded.
pub type Check = fn(&str) -> Result<(), serde_json::Error>;

/// Returns the JSON schema of a type, as text.
pub type SchemaOf = fn() -> String;

/// What a line records when it is entered: the items of a `for`, or the value of an `if let` or
/// a `match`.
pub trait Recording: std::fmt::Debug + Sync {
    /// Checks that what was recorded, as JSON text, can be decoded and, of an `if let` or a `match`, leads
    /// to the branch or the arm that was taken.
    ///
    /// # Errors
    ///
    /// Returns what does not fit, in words.
    fn check(&self, saved: &str, way: Way) -> Result<(), String>;

    /// Returns the name of the type, as the compiler writes it.
    fn type_name(&self) -> &'static str;
}

/// One flow.
#[derive(Debug)]
pub struct Table {
    /// The flow's name, the name of the root in the saved tree.
    pub name: &'static str,
    /// Names under which the flow was saved before.
    pub aliases: &'static [&'static str],
    /// Its by-value parameters. Each is a field of the saved input.
    pub input: &'static [InputField],
    /// The text of its output's type.
    pub output: &'static str,
    /// Checks that a saved output can still be decoded.
    pub check: Check,
    /// The schema of its output.
    pub schema: Option<SchemaOf>,
    /// The lines of its `steps!`, in order.
    pub nodes: &'static [Line],
    /// What a failure leads to.
    pub on_failure: OnFailure,
    /// How long after its beginning the flow must have ended.
    pub deadline: Option<Duration>,
    /// The ends that it has a handler for.
    pub handlers: FlowHandlers,
}

/// Which handlers a flow has. No saved state depends on them.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowHandlers {
    /// `#[on_done]`.
    pub done: bool,
    /// `#[on_failed]`.
    pub failed: bool,
    /// `#[on_stopped]`.
    pub stopped: bool,
}

impl FlowHandlers {
    /// A flow that nobody is told of.
    pub const NONE: Self = Self {
        done: false,
        failed: false,
        stopped: false,
    };

    /// Returns whether there is a handler for this end.
    pub(crate) fn hear(self, ending: Ending) -> bool {
        match ending {
            Ending::OnDone => self.done,
            Ending::OnFailed => self.failed,
            Ending::OnStopped => self.stopped,
        }
    }
}

impl Table {
    /// Returns whether it, or a flow in it, has an `#[on_stopped]`.
    pub(crate) fn hears_of_a_stop(&self) -> bool {
        self.handlers.stopped || self.nodes.iter().any(Line::hears_of_a_stop)
    }

    /// Returns why a field of a saved input is not read, if no parameter takes it.
    pub(crate) fn untaken(&self, field: &str) -> Option<String> {
        let takes = |own: &InputField| own.name == field || own.aliases.contains(&field);
        (!self.input.iter().any(takes)).then(|| not_taken(field))
    }

    /// Returns why a saved input with these fields can't be read, if it can't.
    pub(crate) fn unread(&self, fields: &BTreeMap<String, Json>) -> Option<String> {
        let unread = self.input.iter().find_map(|field| {
            let mut names = std::iter::once(&field.name).chain(field.aliases);
            let saved = names.find_map(|name| fields.get(*name));
            // A field that is missing is read as `null`.
            let why = (field.check)(saved.map_or("null", Json::get)).err()?;
            Some(match saved {
                Some(_) => format!("field `{}`: {why}", field.name),
                None => format!("field `{}` is missing", field.name),
            })
        });
        unread.or_else(|| fields.keys().find_map(|field| self.untaken(field)))
    }

    /// Returns whether this flow was or is saved under `name`.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// Returns whether a line of this flow is a pivot. One of a nested flow counts only there.
    pub fn has_pivot(&self) -> bool {
        self.nodes.iter().any(Line::has_pivot)
    }
}

/// What is said of a field of a saved input that no parameter takes.
pub(crate) fn not_taken(field: &str) -> String {
    format!(
        "no parameter takes the field `{field}`; if a parameter was renamed, write `#[alias = \
         \"{field}\"]` before it"
    )
}

/// One field of a flow's saved input.
pub struct InputField {
    /// Its name.
    pub name: &'static str,
    /// Names under which it was saved before.
    pub aliases: &'static [&'static str],
    /// The text of its type.
    pub ty: &'static str,
    /// Checks that a saved value of the field can be read.
    pub check: Check,
    /// The schema of its type.
    pub schema: Option<SchemaOf>,
}

impl std::fmt::Debug for InputField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

/// A recording that is never read, of a table without a flow.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct AnyRecording;

#[cfg(test)]
impl Recording for AnyRecording {
    fn check(&self, _: &str, _: Way) -> Result<(), String> {
        Ok(())
    }
    fn type_name(&self) -> &'static str {
        "_"
    }
}

/// What happens when a flow fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The steps that were done are undone.
    #[default]
    Undo,
    /// The execution stays as it is, and can be recovered and tried again.
    Hold,
}

/// One line of a `steps!`.
#[derive(Debug)]
pub struct Line {
    /// Its name in the saved tree.
    pub name: &'static str,
    /// Names under which the line was saved before.
    pub aliases: &'static [&'static str],
    /// The path of the function that it calls, as it is written; empty if it calls none.
    pub calls: &'static str,
    /// The numbers of the earlier lines of its scope whose values it uses, itself or in its own scope.
    pub uses: &'static [usize],
    /// The marks on the line.
    pub marks: Marks,
    /// What it does.
    pub work: Work,
}

/// The marks of a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// A failure is recorded, and the flow continues.
    pub optional: bool,
    /// A failure is recorded, and is the line's value.
    pub caught: bool,
    /// Once this line is done, earlier lines are no longer undone.
    pub pivot: bool,
    /// The line begins even if a sibling has failed.
    pub atomic: bool,
    /// How long after its beginning the line must have ended, retries included.
    pub deadline: Option<Duration>,
}

impl Marks {
    /// No marks.
    pub const NONE: Self = Self {
        optional: false,
        caught: false,
        pivot: false,
        atomic: false,
        deadline: None,
    };

    /// Returns whether the flow goes on if the line fails.
    pub const fn passes_over(&self) -> bool {
        self.optional || self.caught
    }
}

impl Line {
    /// Returns the kind of the line's node in the saved tree.
    pub const fn kind(&self) -> Kind {
        match self.work {
            Work::Step(_) => Kind::Step,
            Work::Group(_) => Kind::Group,
            Work::Parallel(_) => Kind::Parallel,
            Work::If { .. } => Kind::If,
            Work::For { .. } => Kind::For,
            Work::Loop { .. } => Kind::Loop,
            Work::Flow(_) => Kind::Flow,
            Work::Race(_) => Kind::Race,
            Work::Match { .. } => Kind::Match,
        }
    }

    /// Returns how long after its beginning the line must have ended, by its mark, its step's `poll`, or
    /// its flow.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let own = match &self.work {
            Work::Step(StepMeta {
                policy: Policy {
                    poll: Some(poll), ..
                },
                ..
            }) => poll.within,
            Work::Flow(table) => table.deadline,
            _ => None,
        };
        match (self.marks.deadline, own) {
            (Some(mark), Some(own)) => Some(mark.min(own)),
            (mark, own) => mark.or(own),
        }
    }

    /// Returns whether it is or holds a pivot, or a `loop` that lets rounds go, which is like one. One of
    /// a nested flow counts only there.
    pub(crate) fn has_pivot(&self) -> bool {
        let is_one = match &self.work {
            Work::Loop { keep, .. } => *keep > 0,
            Work::Flow(_) => return self.marks.pivot,
            _ => false,
        };
        self.marks.pivot || is_one || self.work.any(Self::has_pivot)
    }

    /// Returns the names of the lines beside it whose values it uses.
    pub(crate) fn needs(&self, beside: &[Self]) -> impl Iterator<Item = &'static str> {
        let used = self.uses.iter().filter_map(|used| beside.get(*used));
        used.map(|line| line.name)
    }

    /// Returns whether it is or holds a volatile step, which may begin again after lines behind it.
    pub(crate) fn has_volatile(&self) -> bool {
        let is_one = matches!(&self.work, Work::Step(meta) if meta.is_volatile());
        is_one || self.work.any(Self::has_volatile)
    }

    /// Returns whether it is or holds a nested flow with an `#[on_stopped]`.
    pub(crate) fn hears_of_a_stop(&self) -> bool {
        let is_one = matches!(&self.work, Work::Flow(table) if table.handlers.stopped);
        is_one || self.work.any(Self::hears_of_a_stop)
    }

    /// Returns whether this line was or is saved under `name`. Where many are asked, a
    /// [`Lookup`](lookup::Lookup) finds them.
    pub fn answers_to(&self, name: &str) -> bool {
        #[cfg(test)]
        lookup::tests::ASKED.set(lookup::tests::ASKED.get() + 1);
        self.name == name || self.aliases.contains(&name)
    }
}
