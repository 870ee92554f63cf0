//! Compares random trees, with random interleavings and random crashes, with a small reference
//! model.

mod generate;
mod invariants;
mod layers;
mod reference;
mod requests;

use std::{sync::Arc, time::Duration};

use futures_util::future::select;
use proptest::{collection::vec, prelude::*};

use self::{
    generate::{TRIES, Top, table},
    invariants::{check_atomic, check_laws, check_races},
    reference::{firsts, model, nothing_fails},
};
use super::{RunCore, RunOptions, execution, execution::PassOutcome, records::Records};
use crate::{
    base::clock::{Clock, TestClock as _},
    journal::Journal,
    model::{
        state::State,
        status::Status,
        table::{FlowHandlers, Marks, OnFailure, Table},
    },
    testing::{Cut, Effect, Lab, Recorder},
};

/// How a step behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Good,
    Bad,
    /// The step panics.
    Worse,
    /// The step succeeds after this many retries.
    Flaky(u32),
    /// The step fails after its effect, and its verify finds the effect.
    Verified,
}

/// Whether a step has an undo, and how that behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Back {
    Not,
    Good,
    /// It fails.
    Bad,
}

#[derive(Clone, Debug)]
struct RandomLine {
    marks: Marks,
    /// Of a line of a `parallel`: a bit for each line before it whose value it uses.
    uses: u8,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Step {
        fate: Fate,
        undo: Back,
        /// How often the step yields to others, before its effect and again after it.
        yields: u32,
    },
    Group(Vec<RandomLine>),
    Parallel(Vec<RandomLine>),
    If(bool, Vec<RandomLine>),
    For(usize, usize, Vec<RandomLine>),
    /// How many rounds, and how many of them stay recorded.
    Loop(u32, u32, Vec<RandomLine>),
    Flow(Vec<RandomLine>),
    Race(Vec<RandomLine>),
    /// The number of the arm that is taken, and the arms.
    Match(usize, Vec<RandomLine>),
}

impl What {
    fn lines(&self) -> &[RandomLine] {
        match self {
            Self::Step { .. } => &[],
            Self::Group(lines)
            | Self::Parallel(lines)
            | Self::If(_, lines)
            | Self::For(_, _, lines)
            | Self::Loop(_, _, lines)
            | Self::Flow(lines)
            | Self::Race(lines)
            | Self::Match(_, lines) => lines,
        }
    }

    fn has_bad_undo(&self) -> bool {
        matches!(
            self,
            Self::Step {
                undo: Back::Bad,
                ..
            }
        ) || self.lines().iter().any(|line| line.what.has_bad_undo())
    }

    fn is_at_once(&self) -> bool {
        matches!(self, Self::Parallel(_) | Self::For(_, 2.., _))
    }
}

/// What the names of lines begin with.
const KINDS: [char; 3] = ['n', 'p', 'r'];

/// Returns a line's name: its number, whether the order below it is open or it is a race, and the bits of the
/// lines that it uses.
fn name(index: usize, line: &RandomLine) -> String {
    let kind = match line.what {
        What::Race(_) => 'r',
        _ if line.what.is_at_once() => 'p',
        _ => 'n',
    };
    format!(
        "{kind}{index}u{}",
        line.uses & !u8::MAX.unbounded_shl(u32::try_from(index).unwrap_or(8))
    )
}

// ---- running

async fn run(top: &Top, table: &'static Table, saved: Option<&State>, journal: &Recorder) -> State {
    let journal = Arc::new(journal.clone());
    let (passed, state) = run_asked(top, table, saved, journal, super::Requests::default()).await;
    assert!(matches!(passed, PassOutcome::Ended), "{passed:?}");
    state
}

async fn run_asked(
    top: &Top,
    table: &'static Table,
    saved: Option<&State>,
    journal: Arc<dyn Journal>,
    requests: super::Requests,
) -> (PassOutcome, State) {
    let records = match saved {
        None => Records::new(table.name, table.nodes.len()),
        Some(saved) => Records::from_state(saved, table.name, table.nodes),
    };
    let clock = top.lab.clock().clone();
    let execution = saved.and_then(|saved| saved.id.clone());
    let options = RunOptions {
        begun: Clock::Test(Arc::new(clock.clone())).read(),
        clock: Clock::Test(Arc::new(clock.clone())),
        ..RunOptions::default()
    };
    let run = RunCore::new(records, execution, options, Some(journal), requests, None);
    let run = Arc::new(run);
    loop {
        let passed = execution::pass(&run, table, top).await;
        run.commit().await.expect("the journal holds");
        match passed.expect("the journal holds") {
            PassOutcome::Waiting(Some(deadline)) => clock.sleep_until(deadline.until).await,
            passed => return (passed, run.state()),
        }
    }
}

/// Runs to the end, with one crash where `cut` says.
fn trial(lines: &'static [RandomLine], cut: Option<(u32, bool, bool)>) -> (State, Vec<Effect>) {
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
        let lab = Lab::new();
        let mut top = Top { lab, lines };
        let whole = Recorder::new();
        let state = run(&top, table, None, &whole).await;
        let Some((commit, before, document)) = cut else {
            assert_eq!(whole.differs_from(&state), None);
            return (state, top.lab.log());
        };
        let commit = 1 + commit as usize % whole.commits();
        let cut = if before {
            Cut::Before(commit)
        } else {
            Cut::After(commit)
        };
        top.lab = Lab::new();
        let recorder = Recorder::cut(cut);
        {
            let run = std::pin::pin!(run(&top, table, None, &recorder));
            drop(select(std::pin::pin!(recorder.struck()), run).await);
        }
        assert!(recorder.has_struck(), "the run got to the cut");
        let (saved, journal) = if document {
            let text = recorder.document();
            let saved = text.map(|text| State::from_json(&text)).transpose();
            (saved, Recorder::new())
        } else {
            (recorder.from_changes(), recorder.reopen())
        };
        let saved = saved.expect("its own state can be read");
        let state = run(&top, table, saved.as_ref(), &journal).await;
        assert_eq!(journal.differs_from(&state), None);
        (state, top.lab.log())
    })
}

// ---- strategies

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Good),
        1 => Just(Fate::Bad),
        1 => Just(Fate::Worse),
        2 => (1..=TRIES).prop_map(Fate::Flaky),
        2 => Just(Fate::Verified),
    ]
}

/// Generates pivots, or, for lines that may be at once, atomic ones.
fn marks(at_once: bool, timed: bool) -> impl Strategy<Value = Marks> {
    let flag = prop::bool::weighted;
    // A step tries again each second, by a clock that is moved on: a deadline is far from these times, as
    // that clock also counts the time that a test really takes.
    let deadline = (0..3_u64, 300..700_u64).prop_map(|(seconds, more)| 1_000 * seconds + more);
    let deadline = prop::option::weighted(0.15, deadline);
    (flag(0.25), flag(0.15), deadline).prop_map(move |(optional, is_other, deadline)| Marks {
        optional,
        caught: false,
        pivot: !at_once && is_other,
        atomic: at_once && is_other,
        deadline: deadline.filter(|_| timed).map(Duration::from_millis),
    })
}

/// Generates undos: where lines may be at once, each step has one.
fn undo(at_once: bool) -> impl Strategy<Value = Back> {
    prop_oneof![
        8 => Just(Back::Good),
        8 => Just(if at_once { Back::Good } else { Back::Not }),
        1 => Just(Back::Bad),
    ]
}

/// Generates the lines that a line uses: mostly none.
fn uses() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0), 1 => any::<u8>()]
}

/// Generates how many rounds stay recorded: all, where lines may be at once, as otherwise not all is
/// undone.
fn keep(at_once: bool) -> impl Strategy<Value = u32> {
    (0..6_u32).prop_map(move |keep| if at_once { 0 } else { keep.saturating_sub(2) })
}

/// Generates sequential trees, with pivots and steps that can't be undone; or trees with concurrent
/// branches.
///
/// A model knows when things in order are done, if nothing is cut off: then a step may be tried again
/// sooner.
fn lines(at_once: bool, timed: bool) -> BoxedStrategy<Vec<RandomLine>> {
    let step = (fate(), undo(at_once), 0..4_u32).prop_map(|(fate, undo, yields)| What::Step {
        fate,
        undo,
        yields,
    });
    let line = (marks(at_once, timed), uses(), step).prop_map(|(marks, uses, what)| RandomLine {
        marks,
        uses,
        what,
    });
    let tree = line.prop_recursive(4, 24, 4, move |line| {
        let most: usize = if at_once { 4 } else { 2 };
        let body = || vec(line.clone(), 1..4);
        let what = prop_oneof![
            body().prop_map(What::Group),
            (any::<bool>(), body()).prop_map(|(holds, body)| What::If(holds, body)),
            (0..4_usize, 1..most, body())
                .prop_map(|(count, limit, body)| { What::For(count, limit, body) }),
            (1..6_u32, keep(at_once), body())
                .prop_map(|(rounds, keep, body)| What::Loop(rounds, keep, body)),
            body().prop_map(What::Flow),
            (any::<prop::sample::Index>(), body())
                .prop_map(|(arm, arms)| What::Match(arm.index(arms.len()), arms)),
            body().prop_map(move |body| {
                if at_once {
                    What::Parallel(body)
                } else {
                    What::Group(body)
                }
            }),
            body().prop_map(move |body| {
                if at_once {
                    What::Race(body)
                } else {
                    What::Group(body)
                }
            }),
        ];
        (marks(at_once, timed), uses(), what).prop_map(|(marks, uses, what)| RandomLine {
            marks,
            uses,
            what,
        })
    });
    vec(tree, 1..5).boxed()
}

fn leaked(lines: Vec<RandomLine>) -> &'static [RandomLine] {
    Box::leak(lines.into_boxed_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_tree_in_order_does_what_the_model_says(lines in lines(false, true)) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, None);
        let (status, expected) = model(lines)?;
        prop_assert_eq!(state.status, status);
        prop_assert_eq!(log, expected);
    }

    #[test]
    fn a_tree_in_order_that_is_cut_off_once_does_what_the_model_says(
        lines in lines(false, false),
        cut in any::<(u32, bool, bool)>(),
    ) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, Some(cut));
        let (status, expected) = model(lines)?;
        prop_assert_eq!(state.status, status);
        prop_assert_eq!(firsts(&log), firsts(&expected));
    }

    #[test]
    fn a_tree_with_things_at_once_keeps_the_laws(
        lines in lines(true, true),
        cut in prop::option::of(any::<(u32, bool, bool)>()),
    ) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, cut);
        check_laws(lines, &state, &log)?;
        check_atomic(lines, &state)?;
        check_races(lines, &state)?;
        if nothing_fails(lines) {
            prop_assert_eq!(state.status, Status::Done);
        }
    }
}

/// A transition that the state machine does not allow panicked.
#[tokio::test]
async fn upg_undo_again_an_impossible_transition_stops_the_run_and_is_told() {
    use crate::model::status::Transition;

    let recorder = Recorder::new();
    let run = RunCore::new(
        Records::new("f", 0),
        None,
        RunOptions::default(),
        Some(Arc::new(recorder.clone())),
        super::Requests::default(),
        None,
    );
    run.change(super::records::ROOT, |root| root.on(Transition::Begin));
    run.commit().await.expect("the journal holds");
    for transition in [
        Transition::UndoFinish,
        Transition::Begin,
        Transition::Finish,
    ] {
        run.change(super::records::ROOT, |root| root.on(transition));
        run.commit().await.expect_err("the run was stopped");
    }
    let fault = run.fault().expect("it is told");
    assert!(
        fault
            .why
            .starts_with("a node that is running can't end its undo"),
        "{}",
        fault.why
    );
    assert_eq!(fault.path, "");
    assert_eq!(recorder.commits(), 1, "nothing was recorded since");
}
