//! The states that an execution of a random flow may have saved.

use std::borrow::Cow;

use jiff::Timestamp;

use super::flows::{Dice, Random, What, nodes};
use crate::{
    base::json::Json,
    model::{
        state::{Kind, NodeData, State, StepKind, Until},
        status::Status,
    },
};

/// A state that an execution with these lines may have saved: how far it came is random.
struct Saves<'a> {
    dice: &'a mut Dice,
    /// How many more lines are done before one is not.
    left: usize,
}

impl Saves<'_> {
    /// Whether the next line is where the execution is.
    fn is_here(&mut self) -> bool {
        let is_here = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_here
    }

    fn node(name: String, kind: Kind, status: Status) -> State {
        let at = Timestamp::UNIX_EPOCH;
        State::from(NodeData {
            name: Cow::Owned(name),
            kind,
            status,
            started_at: Some(at),
            done_at: (status == Status::Done).then_some(at),
            attempts: 1,
            ..NodeData::default()
        })
    }

    /// Returns the lines that have begun, and whether all are done.
    fn lines(&mut self, lines: &[Random], at_once: bool) -> (Vec<State>, bool) {
        let mut states = Vec::new();
        let mut all = true;
        for line in lines {
            if at_once && self.dice.one_in(3) {
                all = false;
                continue;
            }
            let (state, done) = self.line(line);
            states.push(state);
            all &= done;
            if !done && !at_once {
                break;
            }
            if !done {
                self.left = self.dice.below(3);
            }
        }
        (states, all)
    }

    fn line(&mut self, line: &Random) -> (State, bool) {
        let name = format!(
            "n{}",
            line.alias
                .filter(|_| self.dice.one_in(2))
                .unwrap_or(line.name)
        );
        let state = |kind, done| {
            let status = if done { Status::Done } else { Status::Running };
            Self::node(name.clone(), kind, status)
        };
        if line.optional && self.dice.one_in(2) {
            let kind = nodes(std::slice::from_ref(line))[0].kind();
            let mut state = Self::node(name, kind, Status::Failed);
            state.done_at = state.started_at;
            state.errors = vec!["no".to_owned()];
            return (state, true);
        }
        match &line.work {
            What::Step(ty, kind) => {
                let done = !self.is_here();
                let mut state = state(Kind::Step, done);
                state.step_kind = *kind;
                if done && *kind != Some(StepKind::Volatile) {
                    state.output = Some(ty.value());
                }
                if !done && *kind == Some(StepKind::Signal) {
                    state.status = Status::Waiting;
                    state.until = Some(Until::Signal);
                }
                (state, done)
            }
            What::Group(lines) => {
                let (states, done) = self.lines(lines, false);
                (with(state(Kind::Group, done), states), done)
            }
            What::Parallel(lines) => {
                let (states, done) = self.lines(lines, true);
                (with(state(Kind::Parallel, done), states), done)
            }
            What::If(then, otherwise) => {
                let decision = self.dice.one_in(2);
                let lines = if decision { then } else { otherwise };
                let (states, done) = self.lines(lines, false);
                let mut state = with(state(Kind::If, done), states);
                state.decision = Some(decision);
                (state, done)
            }
            What::For(ty, body) => {
                let count = self.dice.below(3);
                let items: Vec<Json> = (0..count).map(|_| ty.value()).collect();
                let mut all = true;
                let mut states = Vec::new();
                for item in 0..count {
                    let mut state = Self::node(item.to_string(), Kind::Item, Status::Pending);
                    if all {
                        let (lines, done) = self.lines(body, false);
                        state = with(state, lines);
                        state.status = if done { Status::Done } else { Status::Running };
                        all = done;
                    } else {
                        state.started_at = None;
                    }
                    states.push(state);
                }
                let mut state = with(state(Kind::For, all), states);
                state.input = Json::encode(&items).ok();
                (state, all)
            }
            What::Loop(max, body) => {
                let rounds = match max {
                    0 => 4,
                    max => *max,
                };
                let rounds = 1 + self.dice.below(usize::try_from(rounds).unwrap());
                let mut states = Vec::new();
                let mut all = true;
                for round in 1..=rounds {
                    let (lines, done) = self.lines(body, false);
                    let status = if done { Status::Done } else { Status::Running };
                    let mut state = with(Self::node(round.to_string(), Kind::Round, status), lines);
                    state.decision = done.then_some(round == rounds);
                    states.push(state);
                    all = done;
                    if !done {
                        break;
                    }
                }
                (with(state(Kind::Loop, all), states), all)
            }
            What::Flow(input, output, lines) => {
                let (states, done) = self.lines(lines, false);
                let mut state = with(state(Kind::Flow, done), states);
                state.input = Some(
                    match input {
                        Some(ty) => {
                            Json::encode(&std::collections::BTreeMap::from([("n", ty.value())]))
                        }
                        None => Json::encode(&std::collections::BTreeMap::<&str, u32>::new()),
                    }
                    .unwrap(),
                );
                state.output = done.then(|| output.value());
                (state, done)
            }
        }
    }
}

fn with(mut state: State, states: Vec<State>) -> State {
    state.states = states;
    state
}

/// A state of the whole flow.
pub(super) fn saved(dice: &mut Dice, lines: &[Random]) -> State {
    let left = dice.below(12);
    let mut saves = Saves { dice, left };
    let (states, done) = saves.lines(lines, false);
    let status = if done { Status::Done } else { Status::Running };
    let mut root = with(Saves::node("random".to_owned(), Kind::Flow, status), states);
    root.id = Some("x".into());
    root
}
