//! The pairs of versions, and what is asked of each.

use std::{future::Future, pin::Pin, sync::Mutex};

use steps::{
    Advance, Cause, Failure, Flow, Json, State, Status,
    compat::{Compatibility, Misfit},
    prelude::*,
    state::Kind,
    testing::FakeClock,
};

/// What the steps did and took back, in order.
#[derive(Default)]
pub(crate) struct World {
    log: Mutex<Vec<String>>,
    /// The undo that does not get on.
    stuck: Mutex<Option<String>>,
}

impl World {
    pub(crate) fn did(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn take_back(&self, what: &str) -> Result<(), String> {
        if self.stuck.lock().unwrap().as_deref() == Some(what) {
            return Err("not now".to_owned());
        }
        self.did(format!("-{what}"));
        Ok(())
    }
}

#[step]
pub(crate) async fn act(world: &World, name: &str) -> Result<u32, String> {
    world.did(format!("+{name}"));
    Ok(u32::try_from(name.len()).unwrap())
}

#[undo(act, retry(times = 1000, every = "1h"))]
async fn unact(world: &World, name: &str, _: &u32) -> Result<(), String> {
    world.take_back(name)
}

#[step]
pub(crate) async fn check(ok: bool) -> Result<(), String> {
    if ok {
        Ok(())
    } else {
        Err("turned down".to_owned())
    }
}

pub(crate) type Ran<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The two versions of a flow.
pub(crate) struct Pair {
    /// The first pass of the older one.
    pub(crate) begin: for<'a> fn(&'a World) -> Ran<'a, State>,
    /// Another pass of it.
    pub(crate) pass: for<'a> fn(&'a World, State) -> Ran<'a, State>,
    /// Each version to its end, with its pauses over at once.
    pub(crate) older: for<'a> fn(&'a World, State, FakeClock) -> Ran<'a, Result<(), Failure>>,
    pub(crate) newer: for<'a> fn(&'a World, State, FakeClock) -> Ran<'a, Result<(), Failure>>,
    pub(crate) compare: fn(&State) -> Compatibility,
}

/// What becomes of an execution of the older version.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// The newer version goes on with it.
    Fits,
    /// The newer version refuses it, and says this of the node at this path.
    Refused(&'static str, &'static str),
}
pub(crate) use Expect::{Fits, Refused};

pub(crate) fn state_of<F: Flow>(advance: Result<Advance<F>, Failure>) -> State {
    let state = advance.expect("it was begun").state.state().clone();
    State::from_json(&state.to_json()).expect("it is read")
}

/// As a store with a row for each node has it: without what has not begun.
pub(crate) fn as_rows(mut state: State) -> State {
    state
        .states
        .retain(|state| state.status != Status::Pending || state.kind == Kind::Item);
    state.states = state.states.into_iter().map(as_rows).collect();
    state
}

/// Whether the execution waits for what turns it down.
fn is_at_go(state: &State) -> bool {
    state
        .get("go")
        .is_some_and(|go| go.status == Status::Waiting)
}

fn answered(mut state: State) -> State {
    if is_at_go(&state) {
        state.signal("go", Json::encode(&false).unwrap()).unwrap();
    }
    state
}

/// Each act is taken back once, the last first.
fn all_taken_back(log: &[String]) {
    let mut acts: Vec<_> = log.iter().filter_map(|it| it.strip_prefix('+')).collect();
    // A volatile step is made again by each process.
    let mut seen = std::collections::HashSet::new();
    acts.retain(|act| seen.insert(*act) || !act.starts_with("vol"));
    acts.reverse();
    let undone: Vec<_> = log.iter().filter_map(|it| it.strip_prefix('-')).collect();
    assert_eq!(undone, acts, "{log:?}");
}

/// Tries the pair with an execution that goes forward, and with one that is being undone, at each of
/// its undos.
pub(crate) async fn try_pair(pair: Pair, forward: Expect, back: impl Fn(&str) -> Expect) {
    let world = World::default();
    let waits = (pair.begin)(&world).await;
    let acts = world.log();
    try_state(&pair, waits.clone(), acts.clone(), forward).await;
    if !is_at_go(&waits) {
        return;
    }
    for act in acts.iter().filter_map(|it| it.strip_prefix('+')) {
        let world = World::default();
        world.log.lock().unwrap().clone_from(&acts);
        *world.stuck.lock().unwrap() = Some(act.to_owned());
        let state = (pair.pass)(&world, answered(waits.clone())).await;
        assert_eq!(state.status, Status::Undoing, "{act} is being undone");
        try_state(&pair, state, world.log(), back(act)).await;
    }
}

/// Tries one state, in both of its forms.
pub(crate) async fn try_state(pair: &Pair, state: State, log: Vec<String>, expect: Expect) {
    for state in [state.clone(), as_rows(state)] {
        let ends = is_at_go(&state) || state.status == Status::Undoing;
        let ended = |failure: &Failure| match &failure.cause {
            Cause::Waiting { .. } => !ends,
            _ => failure.status() == Status::Undone,
        };
        let world = World::default();
        world.log.lock().unwrap().clone_from(&log);
        let comparison = (pair.compare)(&state);
        let breaks: Vec<_> = comparison.nodes.iter().filter(|node| node.breaks).collect();
        let ran = (pair.newer)(&world, answered(state.clone()), FakeClock::new()).await;
        match expect {
            Fits => {
                assert!(breaks.is_empty(), "{breaks:?}");
                let failure = ran.expect_err("it was turned down");
                assert!(ended(&failure), "{failure}");
            }
            Refused(path, why) => {
                let failure = ran.expect_err("it is refused");
                let text = failure.to_string();
                assert!(
                    matches!(failure.cause, Cause::Misfit(Misfit::Tree(_))),
                    "{text} {:?}",
                    world.log()
                );
                assert!(
                    breaks
                        .iter()
                        .any(|node| node.path == path && node.to_string().contains(why)),
                    "{breaks:?}"
                );
                assert!(text.contains(why), "{text}");
                assert_eq!(
                    *failure.state,
                    answered(state.clone()),
                    "it is left as it was"
                );
                assert_eq!(world.log(), log, "nothing ran");
                // The older version takes it up again.
                let ran = (pair.older)(&world, answered(state), FakeClock::new()).await;
                let failure = ran.expect_err("it was turned down");
                assert!(ended(&failure), "{failure}");
            }
        }
        if ends {
            all_taken_back(&world.log());
        }
    }
}

/// A test of a pair: what it is called, what becomes of an execution that waits and, by the undo that
/// does not get on, of one that is being undone, and the lines of both versions. Both end with a signal that turns them down.
macro_rules! pair {
    ($(#[$meta:meta])* $name:ident($world:ident): $both:expr; { $($old:tt)* } => { $($new:tt)* }) => {
        pair!($(#[$meta])* $name($world): $both, back |_| $both; { $($old)* } => { $($new)* });
    };
    ($(#[$meta:meta])* $name:ident($world:ident): $forward:expr, back $back:expr;
        { $($old:tt)* } => { $($new:tt)* }) => {
        $(#[$meta])*
        #[tokio::test]
        async fn $name() {
            mod old {
                use super::*;
                #[flow(name = "f")]
                pub(super) async fn f($world: &World) -> Result<(), String> {
                    steps! { $($old)* go = steps::signal::<bool>(); check(go); }
                    Ok(())
                }
            }
            mod new {
                use super::*;
                #[flow(name = "f")]
                pub(super) async fn f($world: &World) -> Result<(), String> {
                    steps! { $($new)* go = steps::signal::<bool>(); check(go); }
                    Ok(())
                }
            }
            let pair = $crate::support::pair_of!(old::f, new::f);
            $crate::support::try_pair(pair, $forward, $back).await;
        }
    };
}
pub(crate) use pair;

macro_rules! pair_of {
    ($old:ident :: $old_f:ident, $new:ident :: $new_f:ident) => {
        $crate::support::Pair {
            begin: |world| {
                Box::pin(
                    async move { $crate::support::state_of($old::$old_f(world).advance().await) },
                )
            },
            pass: |world, state| {
                Box::pin(async move {
                    let run = $old::$old_f(world).resume(state);
                    $crate::support::state_of(run.advance().await)
                })
            },
            older: |world, state, clock| {
                let clock = std::sync::Arc::new(clock);
                Box::pin(async move {
                    $old::$old_f(world)
                        .resume(state)
                        .clock(clock)
                        .await
                        .map(drop)
                })
            },
            newer: |world, state, clock| {
                let clock = std::sync::Arc::new(clock);
                Box::pin(async move {
                    $new::$new_f(world)
                        .resume(state)
                        .clock(clock)
                        .await
                        .map(drop)
                })
            },
            compare: |state| steps::compat::Compatibility::of::<$new::$new_f>(state),
        }
    };
}
pub(crate) use pair_of;
