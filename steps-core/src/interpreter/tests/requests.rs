//! Sends a request to runs of the same trees, at some commit: to suspend, to stop, or to undo.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    RandomLine, check_atomic, check_laws, check_races, firsts,
    generate::{Top, table},
    leaked, lines, model, nothing_fails, run_asked,
};
use crate::interpreter::{Request, RequestInbox, Requests};
use crate::{
    base::future::BoxFuture,
    interpreter::execution::PassOutcome,
    journal::{Batch, Journal},
    model::{
        state::State,
        status::Status,
        table::{FlowHandlers, OnFailure, Table},
    },
    testing::{Effect, Lab, Recorder},
};

/// A journal that sends a request at one of its commits.
struct Asks {
    recorder: Recorder,
    at: usize,
    requests: Arc<RequestInbox>,
    ask: Request,
}

impl Journal for Asks {
    fn commit<'a>(
        &'a self,
        batch: Batch<'a>,
    ) -> BoxFuture<'a, Result<(), crate::journal::JournalError>> {
        if self.recorder.commits() + 1 == self.at {
            self.requests.send(self.ask);
        }
        self.recorder.commit(batch)
    }
}

/// Runs to the end, with one request; a halted run goes on from its rows. Returns the status in
/// which it was halted, and how it ended.
fn trial(
    lines: &'static [RandomLine],
    at: u32,
    ask: Request,
) -> (Option<Status>, State, Vec<Effect>) {
    let table: &'static Table = Box::leak(Box::new(Table {
        name: "random",
        aliases: &[],
        input: &[],
        output: "",
        check: |_| Ok(()),
        schema: None,
        nodes: table(lines, false),
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let whole = Recorder::new();
        let mut top = Top {
            lab: Lab::new(),
            lines,
        };
        let journal = Arc::new(whole.clone());
        run_asked(&top, table, None, journal, Requests::default()).await;
        let recorder = Recorder::new();
        let requests = Arc::new(RequestInbox::default());
        let journal = Asks {
            recorder: recorder.clone(),
            at: 1 + at as usize % whole.commits(),
            requests: Arc::clone(&requests),
            ask,
        };
        top.lab = Lab::new();
        let asking = Requests::new(requests, false);
        let (passed, state) = run_asked(&top, table, None, Arc::new(journal), asking).await;
        assert_eq!(recorder.differs_from(&state), None);
        match passed {
            PassOutcome::Ended => return (None, state, top.lab.log()),
            PassOutcome::Stopped => assert_eq!(state.status, Status::Stopped),
            PassOutcome::Suspended => assert!(!state.status.is_final(), "{}", state.tree()),
            other => panic!("{other:?}"),
        }
        let halted = state.status;
        for (path, node) in state.walk().filter(|(_, node)| node.states.is_empty()) {
            let undone_now = node.status == Status::Undoing && node.undo.is_some();
            let waits = undone_now && node.undo.as_ref().is_some_and(|undo| undo.until.is_some());
            assert!(
                node.kind != crate::model::state::Kind::Step
                    || node.status != Status::Running && (!undone_now || waits),
                "{path} is {}",
                node.status
            );
        }
        let mut saved = recorder.from_changes().expect("a tree").expect("rows");
        if halted == Status::Stopped {
            saved.recover().unwrap();
        }
        let journal = recorder.reopen();
        let asking = Requests::default();
        let (passed, state) =
            run_asked(&top, table, Some(&saved), Arc::new(journal.clone()), asking).await;
        assert!(matches!(passed, PassOutcome::Ended));
        assert_eq!(journal.differs_from(&state), None);
        (Some(halted), state, top.lab.log())
    })
}

fn halt() -> impl Strategy<Value = Request> {
    prop::sample::select(vec![Request::Suspend, Request::Stop])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Nothing crashed, so nothing happens twice.
    #[test]
    fn a_tree_in_order_that_is_halted_does_what_the_model_says(
        lines in lines(false, false),
        at in any::<u32>(),
        ask in halt(),
    ) {
        let lines = leaked(lines);
        let (halted, state, log) = trial(lines, at, ask);
        let (status, expected) = model(lines)?;
        prop_assert_eq!(state.status, status);
        prop_assert_eq!(log, expected, "{:?} {:?}", ask, halted);
    }

    #[test]
    fn a_tree_with_things_at_once_that_is_halted_keeps_the_laws(
        lines in lines(true, true),
        at in any::<u32>(),
        ask in halt(),
    ) {
        let lines = leaked(lines);
        let (_, state, log) = trial(lines, at, ask);
        check_laws(lines, &state, &log)?;
        check_atomic(lines, &state)?;
        check_races(lines, &state)?;
        if nothing_fails(lines) {
            prop_assert_eq!(state.status, Status::Done);
        }
        let (did, _) = firsts(&log);
        prop_assert_eq!(did.len(), log.iter().filter(|e| matches!(e, Effect::Did(_))).count());
    }

    #[test]
    fn a_tree_that_is_undone_keeps_the_laws(lines in lines(true, true), at in any::<u32>()) {
        let lines = leaked(lines);
        let (halted, state, log) = trial(lines, at, Request::Undo);
        prop_assert_eq!(halted, None);
        check_laws(lines, &state, &log)?;
    }
}
