//! The lines of a plan. Which steps a plan has is known at run time only; the table has what each of
//! them may be: one of the registered steps, or a group of steps of the plan.
//!
//! ```text
//! plan                      a `for` over the plan's steps
//!   <name of a step>
//!     runs                  a `match`: what the step is
//!       create_volume       a registered step
//!       optional, pivot     a `match` with these marks: one of the registered steps
//!       group               a `for` over the steps of the group, and so on
//! ```
//!
//! The lines of each level of groups contain those of the level below, by reference.

use super::{Line, Marks, Recording, Way, Work};
use crate::base::json::read;

/// The name of the line with the whole plan.
pub(crate) const PLAN: &str = "plan";
/// The name of the line that says what a step of the plan is.
pub(crate) const RUNS: &str = "runs";
/// The name of the arm of a group.
pub(crate) const GROUP: &str = "group";
/// The name of the arm of a step whose failure is passed over.
pub(crate) const OPTIONAL: &str = "optional";
/// The name of the arm of a step behind which nothing is undone.
pub(crate) const PIVOT: &str = "pivot";

/// How many groups of a plan may be within each other.
pub(crate) const MAX_GROUPS: usize = 8;

const fn line(name: &'static str, marks: Marks, work: Work) -> Line {
    Line {
        name,
        aliases: &[],
        calls: "",
        uses: &[],
        marks,
        work,
    }
}

/// Returns the line for the whole plan.
pub const fn whole(body: &'static [Line]) -> Line {
    line(PLAN, Marks::NONE, each(body))
}

const fn each(body: &'static [Line]) -> Work {
    Work::For {
        body,
        at_once: 0,
        items: &GroupRecording,
    }
}

/// Returns the line that is one of these arms.
pub const fn runs(arms: &'static [Line]) -> Line {
    line(RUNS, Marks::NONE, one_of(arms))
}

const fn one_of(arms: &'static [Line]) -> Work {
    Work::Match {
        arms,
        value: &Unrecorded,
    }
}

/// Returns the arms of a step of the plan: the registered steps, and after them the two marks and, where
/// there may be one, the group with this body. `N` is their number.
pub const fn arms<const N: usize>(
    steps: &'static [Line],
    body: Option<&'static [Line]>,
) -> [Line; N] {
    const fn marked(optional: bool) -> Marks {
        Marks {
            optional,
            pivot: !optional,
            ..Marks::NONE
        }
    }
    const EMPTY: Line = line(GROUP, Marks::NONE, Work::Group(&[]));
    let mut arms = [EMPTY; N];
    let mut index = 0;
    while index < steps.len() {
        arms[index] = same(&steps[index]);
        index += 1;
    }
    arms[index] = line(OPTIONAL, marked(true), one_of(steps));
    arms[index + 1] = line(PIVOT, marked(false), one_of(steps));
    if let Some(body) = body {
        arms[index + 2] = line(GROUP, Marks::NONE, each(body));
    }
    arms
}

/// Returns the line of a registered step once more, for another level.
const fn same(step: &Line) -> Line {
    Line {
        name: step.name,
        aliases: step.aliases,
        calls: step.calls,
        uses: step.uses,
        marks: step.marks,
        work: match &step.work {
            Work::Step(meta) => Work::Step(*meta),
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => panic!("only steps are registered for plans"),
        },
    }
}

/// What a group of a plan records: the names of its steps. Whether the plan still has them is checked
/// when the group is entered, as only the plan tells.
#[derive(Debug)]
struct GroupRecording;

impl Recording for GroupRecording {
    fn check(&self, saved: &str, _: Way) -> Result<(), String> {
        read::<serde::de::IgnoredAny>(saved)
            .map(drop)
            .map_err(|error| error.to_string())
    }
    fn type_name(&self) -> &'static str {
        "the names of a plan's steps"
    }
}

/// What a step of a plan is stands in the plan.
#[derive(Debug)]
struct Unrecorded;

impl Recording for Unrecorded {
    fn check(&self, _: &str, _: Way) -> Result<(), String> {
        Ok(())
    }
    fn type_name(&self) -> &'static str {
        "()"
    }
}
