//! Turns a random tree into a table and scopes.

use std::{future::poll_fn, task::Poll, time::Duration};

use super::{Back, Fate, RandomLine, What, name};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    interpreter::RootFlow,
    language::{
        cx::Cx,
        scope::{Answer, Enter, Entered, Keys, LoadError, Op, OpResult, Saved, Scope},
    },
    model::{
        policy::{Policy, Retry},
        table::{AnyRecording, FlowHandlers, Line, OnFailure, StepMeta, Table, Way, Work},
    },
    testing::Lab,
};

pub(super) const TRIES: u32 = 2;

pub(super) fn table(lines: &'static [RandomLine], is_parallel: bool) -> &'static [Line] {
    owned(lines, is_parallel).leak()
}

pub(super) fn owned(lines: &'static [RandomLine], is_parallel: bool) -> Vec<Line> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| Line {
            name: Box::leak(name(index, line).into_boxed_str()),
            aliases: &[],
            calls: "",
            uses: if is_parallel { uses(index, line) } else { &[] },
            marks: line.marks,
            work: work(&line.what),
        })
        .collect()
}

fn uses(index: usize, line: &RandomLine) -> &'static [usize] {
    let used = (0..index.min(8)).filter(|used| line.uses >> used & 1 == 1);
    Box::leak(used.collect())
}

pub(super) fn work(what: &'static What) -> Work {
    let lines = table(what.lines(), matches!(what, What::Parallel(_)));
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
            undo: *undo != Back::Not,
            verify: *fate == Fate::Verified,
            observe: false,
            stop: None,
            check_in: None,
            kind: None,
            signal: None,
            output: "",
            check: |_| Ok(()),
            schema: None,
            before: None,
        }),
        What::Group(_) => Work::Group(lines),
        What::Parallel(_) => Work::Parallel(lines),
        What::Race(_) => Work::Race(lines),
        What::Match(..) => Work::Match {
            arms: lines,
            value: &AnyRecording,
        },
        What::If(..) => Work::If {
            then: lines,
            otherwise: &[],
            value: None,
        },
        What::For(_, at_once, _) => Work::For {
            body: lines,
            at_once: *at_once,
            items: &AnyRecording,
        },
        What::Loop(_, keep, _) => Work::Loop {
            body: lines,
            max: 0,
            keep: *keep,
            prev: &[],
        },
        What::Flow(_) => Work::Flow(Box::leak(Box::new(Table {
            name: "nested",
            aliases: &[],
            input: &[],
            output: "",
            check: |_| Ok(()),
            schema: None,
            nodes: lines,
            on_failure: OnFailure::Undo,
            deadline: None,
            handlers: FlowHandlers::NONE,
        }))),
    }
}

pub(super) struct Here {
    lab: Lab,
    lines: &'static [RandomLine],
    rounds: u32,
}

pub(super) async fn yields(mut times: u32) {
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
            fate,
            yields: n,
            undo,
        } = self.lines[line].what
        else {
            unreachable!("a step is called");
        };
        Box::pin(async move {
            yields(n).await;
            let path = cx.path();
            let did = || self.lab.act(path.clone()).map_err(StepError::user);
            match op {
                Op::Undo(_) if undo == Back::Bad => Err(StepError::fatal("stays")),
                Op::Undo(_) => {
                    self.lab.undo(path.clone()).map_err(StepError::user)?;
                    yields(n).await;
                    Ok(Answer::Undone)
                }
                Op::Verify(_) if self.lab.is_there(&path) => Ok(Answer::Done(None)),
                Op::Verify(_) | Op::Held | Op::Stop | Op::CheckIn(_) => Ok(Answer::NotYet),
                Op::Observe => unreachable!("nothing is observed"),
                Op::Run(_) => {
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
            way: Way::default(),
            keys: None,
            at_once: None,
        };
        let json = |text: &str| Json::parse(text).map(Some).map_err(StepError::fatal);
        match what {
            What::If(holds, _) => {
                let holds = how.way.branch.unwrap_or(*holds);
                entered.way.branch = Some(holds);
                entered.scope = entered.scope.filter(|_| holds);
            }
            What::Match(arm, _) => {
                entered.way.arm = Some(how.way.arm.unwrap_or(*arm));
                if how.input.is_none() {
                    entered.input = json("0")?;
                }
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
            What::Loop(rounds, ..) => entered.scope = below(*rounds),
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
}

pub(super) struct Top {
    pub(super) lab: Lab,
    pub(super) lines: &'static [RandomLine],
}

impl RootFlow for Top {
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
            way: Way::default(),
            keys: None,
            at_once: None,
        })
    }

    fn load(&self, _: Option<&Json>) -> Result<(), StepError> {
        Ok(())
    }
}
