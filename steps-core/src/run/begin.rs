//! Beginning a run: the saved state is checked, and the records are built from it.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::{
    Children, Options, Run, Signals,
    driver::Ready,
    fits::{check, given},
};
use crate::{
    base::clock::{Clock, Now},
    interpreter::{
        Requests, RunCore, RunOptions, StepLog,
        records::{ROOT, Records},
    },
    language::{cells::flow::FlowCell, children::RunEngine, flow::Flow},
    model::{
        compat::Misfit,
        failure::{Cause, Failure},
        state::{Labels, State},
        status::Status,
    },
};

impl<'a, F: Flow> Run<'a, F> {
    /// Uses an engine's clock.
    pub(crate) fn system_clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// Sets what keeps what its steps log.
    pub(crate) fn log(mut self, log: Arc<dyn StepLog>) -> Self {
        self.options.log = Some(log);
        self
    }

    /// Sets what the steps reach the engine by that makes the run.
    pub(crate) fn engine(mut self, engine: Option<Arc<dyn RunEngine>>) -> Self {
        self.options.engine = engine;
        self
    }

    /// Sets the children that its caller starts.
    pub(super) fn with_children(mut self, children: Children) -> Self {
        self.options.engine = Some(Arc::new(children.clone()));
        self.options.children = Some(children);
        self
    }

    /// Says that whoever has found the run to be due, by a clock of its own, was shown this time: what had waited until
    /// then waits no longer, even if this process's clock is behind. For a [run that resumes](Self::resume) because
    /// somebody else's timer has gone off.
    pub fn due_by(mut self, time: impl Into<Option<Timestamp>>) -> Self {
        self.options.due_by = time.into();
        self
    }

    /// Runs nothing: a pass only looks when the execution goes on.
    pub(crate) fn looks(mut self) -> Self {
        self.options.looks = true;
        self
    }

    /// Checks the input and the saved state, and builds the records.
    pub(crate) fn ready(self, eager: bool) -> Result<Ready<'a, F>, Failure> {
        let Self {
            lent,
            input,
            saved,
            options,
        } = self;
        let table = F::TABLE;
        if let Some(Err(why)) = options.execution.as_deref().map(crate::base::id::check) {
            return Err(Failure {
                flow: table.name,
                cause: Cause::Misfit(Misfit::Input(format!("it was given a bad id: {why}"))),
                state: saved.map(|state| Arc::new(*state)).unwrap_or_default(),
            });
        }
        let mut labels = options.labels.clone();
        let (mut records, execution, saved) = match saved {
            None => {
                let mut records = Records::new(table.name, table.nodes.len());
                if options.instance.is_some() {
                    records[ROOT].cold_mut().instance = options.instance;
                }
                (records, None, None)
            }
            Some(mut state) => {
                match saved_records::<F>(&mut state, &input, &options, &mut labels) {
                    Ok(records) => (records, state.id.clone(), Some(state)),
                    Err(cause) => {
                        return Err(Failure {
                            flow: table.name,
                            cause,
                            state: Arc::new(*state),
                        });
                    }
                }
            }
        };
        let is_recorded = records[ROOT].cold().input.is_some();
        let given = match given::<F>(input, is_recorded, options.read_from, &options.limits) {
            Ok(given) => given,
            Err(misfit) => {
                return Err(Failure {
                    flow: table.name,
                    cause: Cause::Misfit(misfit),
                    state: saved.map(|state| Arc::new(*state)).unwrap_or_default(),
                });
            }
        };
        let inbox = options.control.unwrap_or_default().0;
        let requests = Requests::new(inbox, options.undo);
        if !requests.all().undoes() {
            records.run_volatile_again(table.nodes);
        }
        let execution = execution.or(options.execution);
        let begun = options.clock.read();
        let run_options = RunOptions {
            begun: Now {
                wall: begun.wall.max(options.due_by.unwrap_or(begun.wall)),
                ..begun
            },
            eager,
            looks: options.looks,
            limits: options.limits,
            labels,
            attrs: options.attrs,
            clock: options.clock,
            observer: options.observer,
            whole: options.past.map(|(_, whole)| whole),
            engine: options.engine,
            log: options.log,
            flows: options.flows,
        };
        let signals = options.signals.as_ref().map(Signals::queue);
        let run = RunCore::new(
            records,
            execution,
            run_options,
            options.journal,
            requests,
            signals,
        );
        let run = Arc::new(run);
        if let Some(signals) = &options.signals {
            signals.attach(&run, table);
        }
        if let Some(children) = &options.children {
            children.attach(&run);
        }
        Ok(Ready {
            run,
            lent,
            saved: Mutex::new(saved),
            given: Mutex::new(given),
            cell: FlowCell::default(),
        })
    }
}

/// Checks that a saved state fits, and builds the records from it. Its labels are added to those that
/// the run was given.
fn saved_records<F: Flow>(
    state: &mut State,
    input: &F::Input,
    options: &Options,
    labels: &mut Labels,
) -> Result<Records, Cause> {
    let table = F::TABLE;
    let new_input = check::<F>(state, input, options).map_err(Cause::Misfit)?;
    if options.undo && state.status == Status::Stuck {
        // Only a state that is not stuck is refused.
        let _ = state.retry_undo();
    }
    let past = options.past.as_ref();
    let past = past.map(|(rows, _)| rows.clone()).unwrap_or_default();
    let mut records = Records::from_state_without(state, past, table.name, table.nodes);
    if options.undo
        && let Some(pivot) = records.pivot()
    {
        let pivot = records.path(pivot);
        return Err(Cause::PastPivot { pivot });
    }
    if let Some(input) = new_input {
        records[ROOT].cold_mut().input = Some(input);
        records.differs(ROOT);
    }
    for (name, value) in &state.labels {
        labels.entry(name.clone()).or_insert(value.clone());
    }
    if *labels != state.labels {
        records.differs(ROOT);
    }
    Ok(records)
}
