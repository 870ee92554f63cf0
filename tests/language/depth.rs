//! Flows as deep as they may be: 48 levels with their own and that of the step. One more does not
//! compile, see `ui/flow/too_deep.rs`.

use std::convert::Infallible;

use steps::{State, prelude::*, state::Limits};

#[step]
async fn inc(n: u32) -> Result<u32, Infallible> {
    Ok(n + 1)
}

/// A flow with a line within so many others of a kind.
macro_rules! deep {
    ($flow:ident $kind:ident [] $($body:tt)*) => {
        #[flow]
        async fn $flow() -> Result<(), Infallible> {
            steps! { $($body)* }
            Ok(())
        }
    };
    ($flow:ident group [$_:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow group [$($left)*] g = { $($body)* } }
    };
    ($flow:ident optional [$_:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow optional [$($left)*] #[optional] g = { $($body)* } }
    };
    ($flow:ident parallel [$_:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow parallel [$($left)*] g = parallel { $($body)* } }
    };
    ($flow:ident branch [$_:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow branch [$($left)*] g = if true { $($body)* } else { n = inc(2); } }
    };
    ($flow:ident each [$_:tt $_2:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow each [$($left)*] g = for n in 0..2_u32.saturating_sub(1) by n { $($body)* } }
    };
    ($flow:ident rounds [$_:tt $_2:tt $($left:tt)*] $($body:tt)*) => {
        deep! { $flow rounds [$($left)*] g = loop { $($body)* } until true }
    };
}

/// All kinds, 46 levels between the flow's own and the step's.
macro_rules! each_kind {
    ($levels:tt $($kind:ident)*) => {$(
        deep! { $kind $kind $levels s = inc(1); }
    )*};
}

each_kind! {
    [1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6]
    group optional parallel branch each rounds
}

fn levels(state: &State) -> usize {
    1 + state.states.iter().map(levels).max().unwrap_or(0)
}

#[tokio::test]
async fn claim_depth() {
    macro_rules! check {
        ($($flow:ident)*) => {$({
            let (_, state) = $flow().with_state().await.unwrap();
            assert_eq!(levels(state.state()), Limits::DEFAULT.depth, stringify!($flow));
            let read = State::from_json(&state.state().to_json()).unwrap();
            $flow().resume(read).await.unwrap();
        })*};
    }
    check! { group optional parallel branch each rounds }
}

/// Flows, each in the one after it.
macro_rules! chain {
    ($flow:ident) => {};
    ($outer:ident $inner:ident $($more:ident)*) => {
        #[flow]
        async fn $outer() -> Result<u32, Infallible> {
            steps! { inner = flow $inner(); }
            Ok(inner)
        }
        chain! { $inner $($more)* }
    };
}

#[flow]
async fn last() -> Result<u32, Infallible> {
    steps! { n = inc(1); }
    Ok(n)
}

chain! { f20 f19 f18 f17 f16 f15 f14 f13 f12 f11 f10 f9 f8 f7 f6 f5 f4 f3 f2 f1 last }

#[tokio::test]
async fn twenty_flows_may_be_within_each_other() {
    let (n, state) = f20().with_state().await.unwrap();
    assert_eq!((n, levels(state.state())), (2, 22));
}
