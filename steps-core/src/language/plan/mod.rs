//! Plans: trees of steps that are made at run time, of steps that were registered at compile time.
//!
//! `#[plan]` makes a flow whose input is a [`Plan`]. Its table has one `for` over the plan's steps, and in
//! it a `match` over what a step may be (`model/table/planned`): so the interpreter runs, records, resumes
//! and undoes a plan as it does any flow, and knows nothing of plans.
//!
//! | file | contents |
//! |---|---|
//! | `registered` | what the macro says of the steps: the trait [`Planned`] |
//! | `draft` | a plan as it was written, which may be wrong |
//! | `build`, `arg` | writing one in Rust |
//! | `read` | reading one from JSON |
//! | `check`, `find` | from a draft to a tree; which step a reference is to |
//! | `tree`, `write` | a plan that was checked; its JSON |
//! | `whole` | [`Plan`]: the tree, for one flow |
//! | `scope`, `slots`, `given` | running one: the scopes, the values of its steps, the arguments of a call |
//! | `outputs`, `refs`, `state` | what a plan gives; references to its steps; its typed state |
//! | `error` | why a draft is no plan |

mod arg;
mod build;
mod check;
mod draft;
mod error;
mod find;
mod given;
mod outputs;
mod read;
mod refs;
mod registered;
mod scope;
mod slots;
mod state;
mod tree;
mod whole;
mod write;

pub use arg::{AsArg, OutputPart, StepOutput};
pub use build::{PlanBuilder, PlanCall, PlanGroup};
pub use error::{PlanError, PlanProblem};
pub use given::Given;
pub use outputs::PlanOutputs;
pub use refs::PlanSteps;
pub use registered::{Gives, Param, Planned, Registered, load_planned};
pub use scope::enter_plan;
pub use slots::{PlanSlot, PlanSlots};
pub use state::PlanFields;
pub use tree::Tree;
pub use whole::{Plan, StepInPlan};

pub use crate::model::table::planned::{arms as plan_arms, runs as plan_runs, whole as plan_whole};
