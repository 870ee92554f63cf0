//! Whether the executions that have not ended fit this program: the answer for all of them, before a
//! program waits for one.

use std::collections::BTreeMap;

use super::{Engine, error::EngineError, worker::forms::newer_form};
use crate::{model::status::Status, store::ExecutionQuery};

/// How many executions are listed at once. One at a time is read in full.
const PAGE: usize = 100;

/// How many causes are told of one flow.
const CAUSES: usize = 32;

/// How the executions of a flow that have not ended fit a program: see [`Engine::compatibility`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowCompatibility {
    /// The flow.
    pub flow: &'static str,
    /// How many executions fit.
    pub fit: u64,
    /// How many do not.
    pub unfit: u64,
    /// Why not, the most frequent cause first: at most 32 of them.
    pub causes: Vec<UnfitCause>,
}

/// What executions do not fit at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfitCause {
    /// What does not fit: for a line, with its path.
    pub why: String,
    /// How many executions do not fit at this. One may not fit at several lines.
    pub executions: u64,
    /// The id of one of them.
    pub example: String,
}

impl Engine {
    /// Compares each execution that has not ended with this program, for each flow that the engine
    /// serves: also those that wait, and are compared by themselves only when they go on. One line in
    /// the log tells of each flow.
    ///
    /// For the start of a new version. It reads each such execution in full, one after the other, so
    /// it needs no memory to speak of; with SQLite it takes some 10 seconds for 100,000 of them,
    /// beside which everything else goes on. It changes nothing.
    ///
    /// ```
    /// use steps::{Engine, prelude::*};
    ///
    /// #[flow]
    /// async fn approve(sum: u32) -> Result<bool, String> {
    ///     steps! { yes = steps::signal::<bool>(); }
    ///     Ok(yes)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(approve::with()).start().await?;
    /// engine.start(approve::input(7)).await?;
    /// for flow in engine.compatibility().await? {
    ///     println!("{}: {} fit, {} do not", flow.flow, flow.fit, flow.unfit);
    ///     for cause in &flow.causes {
    ///         println!("{} executions, such as {}: {}", cause.executions, cause.example, cause.why);
    ///     }
    /// #   assert_eq!((flow.fit, flow.unfit), (1, 0));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn compatibility(&self) -> Result<Vec<FlowCompatibility>, EngineError> {
        let mut all = Vec::new();
        for served in self.flows.iter() {
            let table = served.flow.table();
            let mut found = Found::default();
            let unfinished = Status::ALL.into_iter().filter(|status| !status.is_final());
            let mut query = ExecutionQuery {
                flows: served.names().map(ToOwned::to_owned).collect(),
                status: unfinished.collect(),
                limit: Some(PAGE),
                ..ExecutionQuery::default()
            };
            loop {
                let page = self.core.store.list(query.clone()).await?;
                query.after = page.last().map(Into::into);
                for info in &page {
                    // One that is gone or has ended meanwhile fits.
                    let Some(saved) = self.core.store.load(info.id.clone()).await? else {
                        continue;
                    };
                    let form = saved.info.form;
                    let lacking = if served.flow.takes_newer() {
                        Vec::new()
                    } else {
                        self.core.lacking(table, served.form, form).await?
                    };
                    let mut misfits = if saved.info.status.is_final() {
                        Vec::new()
                    } else {
                        served.flow.misfits(saved)
                    };
                    if !lacking.is_empty() {
                        misfits.push(newer_form(table, &lacking));
                    }
                    found.add(misfits, &info.id);
                }
                if page.len() < PAGE {
                    break;
                }
            }
            all.push(found.told(table.name));
        }
        Ok(all)
    }
}

/// What has been found of one flow.
#[derive(Default)]
struct Found {
    fit: u64,
    unfit: u64,
    causes: BTreeMap<String, (u64, String)>,
}

impl Found {
    fn add(&mut self, misfits: Vec<String>, id: &str) {
        if misfits.is_empty() {
            self.fit += 1;
            return;
        }
        self.unfit += 1;
        for why in misfits {
            let is_full = self.causes.len() == CAUSES;
            if let Some((count, _)) = self.causes.get_mut(&why) {
                *count += 1;
            } else if !is_full {
                self.causes.insert(why, (1, id.to_owned()));
            }
        }
    }

    fn told(self, flow: &'static str) -> FlowCompatibility {
        let causes = self.causes.into_iter();
        let mut causes: Vec<UnfitCause> = causes
            .map(|(why, (executions, example))| UnfitCause {
                why,
                executions,
                example,
            })
            .collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.executions));
        let (fit, unfit) = (self.fit, self.unfit);
        match causes.first() {
            None => tracing::info!(flow, fit, "all executions that have not ended fit"),
            Some(first) => tracing::warn!(
                flow,
                fit,
                unfit,
                example = first.example,
                "executions do not fit this program, most of them: {}",
                first.why
            ),
        }
        FlowCompatibility {
            flow,
            fit,
            unfit,
            causes,
        }
    }
}
