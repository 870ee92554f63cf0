//! Random trees, random interleavings and random crashes, against a small reference model.

mod asked;

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use futures_util::future::select;
use proptest::{collection::vec, prelude::*};

use super::{
    RunLimits, Shared,
    tree::Tree,
    whole::{self, Passed, Whole},
};
use crate::{
    clock::{Clock, TestClock as _},
    cx::Cx,
    error::StepError,
    journal::Journal,
    json::Json,
    policy::{Policy, Retry},
    scope::{Answer, BoxFuture, Enter, Entered, Keys, LoadError, Op, OpResult, Saved, Scope},
    state::{State, path},
    status::Status,
    table::{Marks, Node, OnFailure, StepMeta, Table, Work},
    testing::{Cut, Effect, Lab, Recorder},
};

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Good,
    Bad,
    /// It panics.
    Worse,
    /// It is good when it is tried again this often.
    Flaky(u32),
    /// It fails after its effect, and its verify finds that out.
    Verified,
}

#[derive(Clone, Debug)]
struct Line {
    marks: Marks,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Step {
        fate: Fate,
        undo: bool,
        /// How often it lets the others go first.
        yields: u32,
    },
    Group(Vec<Line>),
    Parallel(Vec<Line>),
    If(bool, Vec<Line>),
    For(usize, usize, Vec<Line>),
    Loop(u32, Vec<Line>),
    Flow(Vec<Line>),
}

impl What {
    fn lines(&self) -> &[Line] {
        match self {
            Self::Step { .. } => &[],
            Self::Group(lines)
            | Self::Parallel(lines)
            | Self::If(_, lines)
            | Self::For(_, _, lines)
            | Self::Loop(_, lines)
            | Self::Flow(lines) => lines,
        }
    }

    fn is_at_once(&self) -> bool {
        matches!(self, Self::Parallel(_) | Self::For(_, 2.., _))
    }
}

/// A line's name: its number, and whether what is below it comes in no order.
fn name(index: usize, line: &Line) -> String {
    let at_once = if line.what.is_at_once() { "p" } else { "n" };
    format!("{at_once}{index}")
}

// ---- the tree as a table and as scopes

const TRIES: u32 = 2;

fn table(lines: &'static [Line]) -> &'static [Node] {
    let nodes: Vec<Node> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| Node {
            name: Box::leak(name(index, line).into_boxed_str()),
            aliases: &[],
            marks: line.marks,
            work: work(&line.what),
        })
        .collect();
    Box::leak(nodes.into_boxed_slice())
}

fn work(what: &'static What) -> Work {
    let lines = table(what.lines());
    match what {
        What::Step { fate, undo, .. } => Work::Step(StepMeta {
            policy: Policy {
                retry: Some(Retry {
                    times: TRIES,
                    every: Duration::from_secs(1),
                    backoff: 1.0,
                    max: None,
                    jitter: 0.0,
                }),
                ..Policy::NONE
            },
            undo_policy: Policy::NONE,
            undo: *undo,
            verify: *fate == Fate::Verified,
            observe: false,
            volatile: false,
            output: "",
            check: |_| Ok(()),
        }),
        What::Group(_) => Work::Group(lines),
        What::Parallel(_) => Work::Parallel(lines),
        What::If(..) => Work::If {
            then: lines,
            otherwise: &[],
        },
        What::For(_, at_once, _) => Work::For {
            body: lines,
            at_once: *at_once,
        },
        What::Loop(..) => Work::Loop {
            body: lines,
            max: 0,
        },
        What::Flow(_) => Work::Flow(Box::leak(Box::new(Table {
            name: "nested",
            aliases: &[],
            input: &[],
            output: "",
            nodes: lines,
            on_failure: OnFailure::Undo,
        }))),
    }
}

struct Here {
    lab: Lab,
    lines: &'static [Line],
    rounds: u32,
}

async fn yields(mut times: u32) {
    poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Scope for Here {
    fn call<'b>(
        &'b self,
        _: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult> {
        let What::Step {
            fate, yields: n, ..
        } = self.lines[line].what
        else {
            unreachable!("a step is called");
        };
        Box::pin(async move {
            yields(n).await;
            let path = cx.path();
            let did = || self.lab.act(path.clone()).map_err(StepError::user);
            match op {
                Op::Undo(_) => {
                    self.lab.undo(path.clone()).map_err(StepError::user)?;
                    yields(n).await;
                    Ok(Answer::Undone)
                }
                Op::Verify if self.lab.is_there(&path) => Ok(Answer::Done(None)),
                Op::Verify => Ok(Answer::NotYet),
                Op::Observe => unreachable!("nothing is observed"),
                Op::Run => {
                    match fate {
                        Fate::Bad => return Err(StepError::fatal("bad")),
                        Fate::Worse => std::panic::resume_unwind(Box::new("worse")),
                        Fate::Flaky(tries) if cx.attempt() <= tries => {
                            return Err(StepError::user("flaky"));
                        }
                        _ => did()?,
                    }
                    yields(n).await;
                    if fate == Fate::Verified {
                        return Err(StepError::fatal("it did it"));
                    }
                    Ok(Answer::Done(None))
                }
            }
        })
    }

    fn enter<'b>(
        &'b self,
        _: usize,
        line: usize,
        how: Enter<'b>,
        _: &'b Cx,
    ) -> Result<Entered<'b>, StepError> {
        let what = &self.lines[line].what;
        let below = |rounds| -> Option<Box<dyn Scope + 'b>> {
            Some(Box::new(Here {
                lab: self.lab.clone(),
                lines: what.lines(),
                rounds,
            }))
        };
        let mut entered = Entered {
            scope: below(0),
            input: None,
            decision: None,
            keys: None,
        };
        let json = |text: &str| Json::parse(text).map(Some).map_err(StepError::fatal);
        match what {
            What::If(holds, _) => {
                let holds = how.decision.unwrap_or(*holds);
                entered.decision = Some(holds);
                entered.scope = entered.scope.filter(|_| holds);
            }
            What::For(count, ..) if how.input.is_none() => {
                entered.input = json(&format!("{:?}", vec![0; *count]))?;
                let mut keys = Keys::default();
                (0..*count)
                    .try_for_each(|key| keys.push(&key))
                    .map_err(StepError::fatal)?;
                entered.keys = Some(keys);
            }
            What::Flow(_) if how.input.is_none() => entered.input = json("{}")?,
            What::Loop(rounds, _) => entered.scope = below(*rounds),
            _ => {}
        }
        Ok(entered)
    }

    fn load(&self, _: usize, _: usize, _: Saved<'_>) -> Result<(), LoadError> {
        Ok(())
    }

    fn until(&self, cx: &Cx) -> Result<bool, StepError> {
        let path = cx.path();
        Ok(path.ends_with(&format!(".{}", self.rounds)))
    }

    fn close(self: Box<Self>, _: bool) {}

    fn finish<'b>(self: Box<Self>) -> BoxFuture<'b, Result<Option<Json>, StepError>>
    where
        Self: 'b,
    {
        Box::pin(std::future::ready(Ok(None)))
    }
}

struct Top {
    lab: Lab,
    lines: &'static [Line],
}

impl Whole for Top {
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError> {
        let input = match how.input {
            Some(_) => None,
            None => Some(Json::parse("{}").map_err(StepError::fatal)?),
        };
        Ok(Entered {
            scope: Some(Box::new(Here {
                lab: self.lab.clone(),
                lines: self.lines,
                rounds: 0,
            })),
            input,
            decision: None,
            keys: None,
        })
    }

    fn has_on_done(&self) -> bool {
        false
    }

    fn load(&self, _: Option<&Json>) -> Result<(), StepError> {
        Ok(())
    }
}

// ---- running

async fn run(top: &Top, table: &'static Table, saved: Option<&State>, journal: &Recorder) -> State {
    let journal = Arc::new(journal.clone());
    let (passed, state) = run_asked(top, table, saved, journal, super::Asking::default()).await;
    assert!(matches!(passed, Passed::Ended), "{passed:?}");
    state
}

async fn run_asked(
    top: &Top,
    table: &'static Table,
    saved: Option<&State>,
    journal: Arc<dyn Journal>,
    asking: super::Asking,
) -> (Passed, State) {
    let tree = match saved {
        None => Tree::new(table.name, table.nodes.len()),
        Some(saved) => Tree::from_state(saved, table.name, table.nodes),
    };
    let clock = top.lab.clock().clone();
    let run = Arc::new(Shared::new(
        tree,
        saved.and_then(|saved| saved.id.clone()),
        Clock::Test(Arc::new(clock.clone())),
        None,
        Some(journal),
        false,
        RunLimits::DEFAULT,
        crate::state::Labels::default(),
        asking,
    ));
    loop {
        let passed = whole::pass(&run, table, top).await;
        run.commit().await.expect("the journal holds");
        match passed.expect("the journal holds") {
            Passed::Waiting(Some(until)) => clock.sleep_until(until).await,
            passed => return (passed, run.state()),
        }
    }
}

/// Runs to the end, cut off once where `cut` says.
fn trial(lines: &'static [Line], cut: Option<(u32, bool, bool)>) -> (State, Vec<Effect>) {
    let table: &'static Table = Box::leak(Box::new(Table {
        name: "random",
        aliases: &[],
        input: &[],
        output: "",
        nodes: table(lines),
        on_failure: OnFailure::Undo,
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

// ---- the model, of trees in order

#[derive(Debug)]
enum Entry {
    Step(String, bool),
    Pivot,
    Flow(Vec<Entry>),
}

#[derive(Default)]
struct Model {
    log: Vec<Effect>,
}

impl Model {
    fn lines(&mut self, lines: &[Line], at: &[String], done: &mut Vec<Entry>) -> bool {
        lines.iter().enumerate().all(|(index, line)| {
            let mut at = at.to_vec();
            at.push(name(index, line));
            let mut own = Vec::new();
            let good = self.line(&line.what, &at, &mut own);
            if good {
                done.append(&mut own);
                if line.marks.pivot {
                    done.push(Entry::Pivot);
                }
            } else if line.marks.optional {
                if self.back(&own) && !matches!(line.what, What::Flow(_)) {
                    done.push(Entry::Pivot);
                }
            } else {
                done.append(&mut own);
            }
            good || line.marks.optional
        })
    }

    fn line(&mut self, what: &What, at: &[String], done: &mut Vec<Entry>) -> bool {
        let below = |part: String| [at, &[part]].concat();
        match what {
            What::Step { fate, undo, .. } => {
                let good = !matches!(fate, Fate::Bad | Fate::Worse);
                if good {
                    let path = path::join(at);
                    self.log.push(Effect::Did(path.clone()));
                    done.push(Entry::Step(path, *undo));
                }
                good
            }
            What::If(false, _) => true,
            What::Group(lines) | What::Parallel(lines) | What::If(true, lines) => {
                self.lines(lines, at, done)
            }
            What::For(count, _, lines) => {
                (0..*count).all(|key| self.lines(lines, &below(key.to_string()), done))
            }
            What::Loop(rounds, lines) => {
                (1..=*rounds).all(|key| self.lines(lines, &below(key.to_string()), done))
            }
            What::Flow(lines) => {
                let mut own = Vec::new();
                let good = self.lines(lines, at, &mut own);
                if good {
                    done.push(Entry::Flow(own));
                } else {
                    self.back(&own);
                }
                good
            }
        }
    }

    /// Whether it came to a pivot.
    fn back(&mut self, done: &[Entry]) -> bool {
        for entry in done.iter().rev() {
            match entry {
                Entry::Pivot => return true,
                Entry::Step(path, true) => self.log.push(Effect::Undid(path.clone())),
                Entry::Step(..) => {}
                Entry::Flow(done) => {
                    self.back(done);
                }
            }
        }
        false
    }
}

fn model(lines: &[Line]) -> (Status, Vec<Effect>) {
    let mut model = Model::default();
    let mut done = Vec::new();
    if model.lines(lines, &[], &mut done) {
        return (Status::Done, model.log);
    }
    model.back(&done);
    (Status::Undone, model.log)
}

/// Each effect where it happened first, those done and those undone apart: a crash repeats some.
fn firsts(log: &[Effect]) -> (Vec<&String>, Vec<&String>) {
    let (mut did, mut undid) = (Vec::new(), Vec::new());
    for effect in log {
        let (list, name) = match effect {
            Effect::Did(name) => (&mut did, name),
            Effect::Undid(name) => (&mut undid, name),
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }
    (did, undid)
}

// ---- the laws of trees with things at once

/// Whether `a` comes before `b`, where that is laid down.
fn comes_before(a: &str, b: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (path::split(a).collect(), path::split(b).collect());
    let Some(differs) = a.iter().zip(&b).position(|(a, b)| a != b) else {
        return false;
    };
    let at_once = differs > 0 && a[differs - 1].starts_with('p');
    let number = |name: &str| name.trim_start_matches(['n', 'p']).parse::<u32>();
    !at_once && number(&a[differs]).ok() < number(&b[differs]).ok()
}

fn check_laws(state: &State, log: &[Effect]) -> Result<(), TestCaseError> {
    prop_assert!(
        matches!(state.status, Status::Done | Status::Undone),
        "{}",
        state.tree()
    );
    let place = |effect: &Effect| log.iter().position(|other| other == effect);
    let (did, undid) = firsts(log);
    for a in &did {
        for b in &did {
            if !comes_before(a, b) {
                continue;
            }
            let did = |name: &str| place(&Effect::Did(name.to_owned()));
            let undid = |name: &str| place(&Effect::Undid(name.to_owned()));
            prop_assert!(did(a) < did(b), "{a} and {b}: {log:?}");
            if let (Some(undid_a), Some(undid_b)) = (undid(a), undid(b)) {
                // One of a line that was passed over was undone long before.
                let later = did(b).is_some_and(|did_b| did_b < undid_a);
                prop_assert!(!later || undid_b < undid_a, "undo of {a} and {b}: {log:?}");
            }
        }
    }
    for name in &undid {
        prop_assert!(did.contains(name), "{name} was not done: {log:?}");
    }
    // What is done is there, and what is not is not.
    let there = |path: &str| {
        let last = log.iter().rev().find(|effect| match effect {
            Effect::Did(name) | Effect::Undid(name) => name == path,
        });
        matches!(last, Some(Effect::Did(_)))
    };
    for (path, node) in state
        .walk()
        .filter(|(_, node)| node.kind == crate::state::Kind::Step)
    {
        match node.status {
            Status::Done => prop_assert!(there(&path), "{path}: {log:?}"),
            Status::Undone | Status::Skipped | Status::Pending | Status::Failed => {
                prop_assert!(!there(&path), "{path}: {log:?}\n{}", state.tree());
            }
            other => prop_assert!(false, "{path} is {other}"),
        }
        if state.status == Status::Undone {
            prop_assert!(!there(&path), "{path} was left: {log:?}\n{}", state.tree());
        }
    }
    Ok(())
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

fn marks(pivot: bool) -> impl Strategy<Value = Marks> {
    (prop::bool::weighted(0.25), prop::bool::weighted(0.15)).prop_map(
        move |(optional, is_pivot)| Marks {
            optional,
            pivot: pivot && is_pivot,
            atomic: false,
        },
    )
}

/// Trees in order, with pivots and steps that can't be undone; or with things at once.
fn lines(at_once: bool) -> BoxedStrategy<Vec<Line>> {
    let step = (fate(), any::<bool>(), 0..4_u32).prop_map(move |(fate, undo, yields)| What::Step {
        fate,
        undo: undo || at_once,
        yields,
    });
    let line = (marks(!at_once), step).prop_map(|(marks, what)| Line { marks, what });
    let tree = line.prop_recursive(4, 24, 4, move |line| {
        let most: usize = if at_once { 4 } else { 2 };
        let body = || vec(line.clone(), 1..4);
        let what = prop_oneof![
            body().prop_map(What::Group),
            (any::<bool>(), body()).prop_map(|(holds, body)| What::If(holds, body)),
            (0..4_usize, 1..most, body())
                .prop_map(|(count, limit, body)| { What::For(count, limit, body) }),
            (1..4_u32, body()).prop_map(|(rounds, body)| What::Loop(rounds, body)),
            body().prop_map(What::Flow),
            body().prop_map(move |body| {
                if at_once {
                    What::Parallel(body)
                } else {
                    What::Group(body)
                }
            }),
        ];
        (marks(!at_once), what).prop_map(|(marks, what)| Line { marks, what })
    });
    vec(tree, 1..5).boxed()
}

fn leaked(lines: Vec<Line>) -> &'static [Line] {
    Box::leak(lines.into_boxed_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_tree_in_order_does_what_the_model_says(lines in lines(false)) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, None);
        let (status, expected) = model(lines);
        prop_assert_eq!(state.status, status);
        prop_assert_eq!(log, expected);
    }

    #[test]
    fn a_tree_in_order_that_is_cut_off_once_does_what_the_model_says(
        lines in lines(false),
        cut in any::<(u32, bool, bool)>(),
    ) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, Some(cut));
        let (status, expected) = model(lines);
        prop_assert_eq!(state.status, status);
        prop_assert_eq!(firsts(&log), firsts(&expected));
    }

    #[test]
    fn a_tree_with_things_at_once_keeps_the_laws(
        lines in lines(true),
        cut in prop::option::of(any::<(u32, bool, bool)>()),
    ) {
        let lines = leaked(lines);
        let (state, log) = trial(lines, cut);
        prop_assert_ne!(state.status, Status::Stuck);
        check_laws(&state, &log)?;
        // Where nothing fails, everything is done.
        let (status, expected) = model(lines);
        if status == Status::Done && expected.iter().all(|e| matches!(e, Effect::Did(_))) {
            prop_assert_eq!(state.status, Status::Done);
        }
    }
}
