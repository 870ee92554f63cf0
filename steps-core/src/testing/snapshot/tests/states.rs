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
        let begun = |kind, done| Self::node(name.clone(), kind, ran(done));
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
                let mut state = begun(Kind::Step, done);
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
                (with(begun(Kind::Group, done), states), done)
            }
            What::Parallel(lines) => {
                let (states, done) = self.lines(lines, true);
                (with(begun(Kind::Parallel, done), states), done)
            }
            What::If(then, otherwise) => {
                let decision = self.dice.one_in(2);
                let lines = if decision { then } else { otherwise };
                let (states, done) = self.lines(lines, false);
                let mut state = with(begun(Kind::If, done), states);
                state.decision = Some(decision);
                (state, done)
            }
            What::For(ty, body) => {
                let count = self.dice.below(3);
                let items: Vec<Json> = (0..count).map(|_| ty.value()).collect();
                let (states, all) = self.items(count, body);
                let mut node = with(begun(Kind::For, all), states);
                node.input = Json::encode(&items).ok();
                (node, all)
            }
            What::Loop(max, body) => {
                let (states, all) = self.rounds(*max, body);
                (with(begun(Kind::Loop, all), states), all)
            }
            What::Flow(input, output, lines) => {
                let (states, done) = self.lines(lines, false);
                let mut state = with(begun(Kind::Flow, done), states);
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

    fn items(&mut self, count: usize, body: &[Random]) -> (Vec<State>, bool) {
        let mut all = true;
        let mut states = Vec::new();
        for item in 0..count {
            let mut node = Self::node(item.to_string(), Kind::Item, Status::Pending);
            if all {
                let (lines, done) = self.lines(body, false);
                node = with(node, lines);
                node.status = ran(done);
                all = done;
            } else {
                node.started_at = None;
            }
            states.push(node);
        }
        (states, all)
    }

    /// Rounds up to `max`, where 0 is no bound.
    fn rounds(&mut self, max: u32, body: &[Random]) -> (Vec<State>, bool) {
        let most = if max == 0 { 4 } else { max };
        let rounds = 1 + self.dice.below(usize::try_from(most).unwrap());
        let mut states = Vec::new();
        let mut all = true;
        for round in 1..=rounds {
            let (lines, done) = self.lines(body, false);
            let mut node = with(Self::node(round.to_string(), Kind::Round, ran(done)), lines);
            node.decision = done.then_some(round == rounds);
            states.push(node);
            all = done;
            if !done {
                break;
            }
        }
        (states, all)
    }
}

/// The status of what has run to its end, or has only begun.
fn ran(done: bool) -> Status {
    if done { Status::Done } else { Status::Running }
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
    let mut root = with(
        Saves::node("random".to_owned(), Kind::Flow, ran(done)),
        states,
    );
    root.id = Some("x".into());
    root
}
