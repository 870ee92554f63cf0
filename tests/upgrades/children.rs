//! `start` and `join` lines that become others, and others that become these.

use steps::prelude::*;

use crate::support::*;

/// A child that does nothing to the world.
#[flow]
async fn one() -> Result<u32, String> {
    steps! { let n: u32 = 1; }
    Ok(n)
}

pair! {
    a_start_becomes_a_step(world): Refused("c", "it was a `start`, and is the call of a function now");
    { c = start one(); a = act(world, "a"); } => { c = act(world, "c"); a = act(world, "a"); }
}
pair! {
    a_step_becomes_a_start(world): Refused("c", "it was the call of a function, and is a `start` now");
    { c = act(world, "c"); a = act(world, "a"); } => { c = start one(); a = act(world, "a"); }
}
pair! {
    a_step_becomes_a_join(world): Refused("n", "it was the call of a function, and is a `join` now");
    { c = start one(); n = act(world, "n"); a = act(world, "a"); }
    => { c = start one(); n = join c; a = act(world, "a"); }
}
pair! {
    a_join_becomes_a_let_line(world): Refused("n", "it was a `join`, and is a `let` line now");
    { c = start one(); n = join c; a = act(world, "a"); }
    => { c = start one(); let n: u32 = 1; a = act(world, "a"); }
}
pair! {
    a_start_is_detached(world): Fits;
    { c = start one(); a = act(world, "a"); } => { c = start one().detached(); a = act(world, "a"); }
}
pair! {
    a_join_is_added_at_the_end(world): Fits;
    { c = start one(); ask = steps::signal::<()>(); }
    => { c = start one(); ask = steps::signal::<()>(); n = join c; }
}
