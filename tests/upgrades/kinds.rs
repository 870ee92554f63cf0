//! What a line is: a function, a sleep, a signal, a group; and what its undo needs.

use std::time::Duration;

use steps::prelude::*;

use crate::support::*;

#[step]
pub(crate) async fn seen(world: &World, name: &str) -> Result<(), String> {
    world.did(format!("+{name}"));
    Ok(())
}

#[undo(seen, retry(times = 1000, every = "1h"))]
async fn unseen(world: &World, name: &str, _: &()) -> Result<(), String> {
    world.take_back(name)
}

/// As `seen`, with an observation that its undo needs.
#[step]
pub(crate) async fn looked(world: &World, name: &str) -> Result<(), String> {
    world.did(format!("+{name}"));
    Ok(())
}

#[observe(looked)]
async fn look(world: &World, _name: &str) -> usize {
    world.log().len()
}

#[undo(looked, before, retry(times = 1000, every = "1h"))]
async fn unlook(world: &World, name: &str, _: &(), before: &usize) -> Result<(), String> {
    let _ = before;
    world.take_back(name)
}

/// As `looked`, with an observation of another type.
#[step]
pub(crate) async fn looked_text(world: &World, name: &str) -> Result<(), String> {
    world.did(format!("+{name}"));
    Ok(())
}

#[observe(looked_text)]
async fn look_text(world: &World, _name: &str) -> String {
    world.log().join(" ")
}

#[undo(looked_text, before, retry(times = 1000, every = "1h"))]
async fn unlook_text(world: &World, name: &str, _: &(), _: &String) -> Result<(), String> {
    world.take_back(name)
}

#[step]
pub(crate) async fn text(world: &World, name: &str) -> Result<String, String> {
    world.did(format!("+{name}"));
    Ok(name.to_owned())
}

#[undo(text, retry(times = 1000, every = "1h"))]
async fn untext(world: &World, name: &str, _: &String) -> Result<(), String> {
    world.take_back(name)
}

/// Asks again after a pause.
#[step(poll(every = "1h"))]
pub(crate) async fn polls(world: &World) -> Result<Option<()>, String> {
    let asked = world.log().contains(&"asked".to_owned());
    world.did("asked".to_owned());
    Ok(asked.then_some(()))
}

/// Fails, and tries again after a pause.
#[step(retry(times = 3, every = "1h"))]
pub(crate) async fn retries(_world: &World) -> Result<(), String> {
    Err("not yet".to_owned())
}

const HOUR: Duration = Duration::from_secs(3600);

pair! {
    a_signal_that_waits_becomes_a_sleep(world): Refused("ask", "it was a `signal`, and is a `sleep` now");
    { a = act(world, "a"); ask = steps::signal::<()>(); }
    => { a = act(world, "a"); ask = steps::sleep(HOUR); }
}
pair! {
    a_sleep_becomes_a_signal(world): Refused("ask", "it was a `sleep`, and is a `signal` now");
    { a = act(world, "a"); ask = steps::sleep(HOUR); }
    => { a = act(world, "a"); ask = steps::signal::<()>(); }
}
pair! {
    a_signal_in_a_parallel_becomes_a_sleep(world): Refused("both.ask", "it was a `signal`, and is a `sleep` now");
    { both = parallel { a = act(world, "a"); ask = steps::signal::<()>(); } }
    => { both = parallel { a = act(world, "a"); ask = steps::sleep(HOUR); } }
}
pair! {
    a_signal_becomes_a_step(world): Refused("ask", "it was a `signal`, and is the call of a function now");
    { ask = steps::signal::<()>(); } => { ask = seen(world, "a"); }
}
pair! {
    a_sleep_becomes_a_step(world): Refused("ask", "it was a `sleep`, and is the call of a function now");
    { ask = steps::sleep(HOUR); } => { ask = seen(world, "a"); }
}
pair! {
    a_sleep_that_is_over_becomes_a_step(world): Refused("ask", "it was a `sleep`, and is the call of a function now");
    { ask = steps::sleep(Duration::ZERO); a = act(world, "a"); } => { ask = seen(world, "s"); a = act(world, "a"); }
}
pair! {
    a_step_that_polls_becomes_a_signal(world): Refused("ask", "it was the call of a function, and is a `signal` now");
    { ask = polls(world); } => { ask = steps::signal::<()>(); }
}
pair! {
    a_step_in_its_first_wait_becomes_a_sleep(world):
    Refused("ask", "it was the call of a function, and is a `sleep` now");
    { ask = polls(world); } => { ask = steps::sleep(HOUR); }
}
pair! {
    a_step_in_its_first_wait_becomes_a_let_line(world):
    Refused("ask", "it was the call of a function, and is a `let` line now");
    { ask = polls(world); } => { let ask: () = (); }
}
pair! {
    a_step_that_is_done_becomes_a_let_line(world):
    Refused("n", "it was the call of a function, and is a `let` line now");
    { n = act(world, "a"); b = act(world, "b"); } => { let n: u32 = 1; b = act(world, "b"); }
}
pair! {
    a_let_line_becomes_a_step(world): Refused("n", "it was a `let` line, and is the call of a function now");
    { let n: u32 = 1; b = act(world, "b"); } => { n = act(world, "a"); b = act(world, "b"); }
}
pair! {
    a_let_line_becomes_a_sleep(world): Refused("n", "it was a `let` line, and is a `sleep` now");
    { let n: () = (); b = act(world, "b"); } => { n = steps::sleep(HOUR); b = act(world, "b"); }
}
pair! {
    a_sleep_that_is_over_becomes_a_let_line(world): Refused("n", "it was a `sleep`, and is a `let` line now");
    { n = steps::sleep(Duration::ZERO); b = act(world, "b"); } => { let n: () = (); b = act(world, "b"); }
}
pair! {
    a_let_line_that_has_not_begun_becomes_a_step(world): Fits;
    { ask = steps::signal::<()>(); let n: u32 = 1; } => { ask = steps::signal::<()>(); n = act(world, "a"); }
}
pair! {
    a_step_that_is_tried_again_becomes_a_signal(world):
    Refused("ask", "it was the call of a function, and is a `signal` now");
    { ask = retries(world); } => { ask = steps::signal::<()>(); }
}
pair! {
    a_step_that_is_tried_again_becomes_a_sleep(world):
    Refused("ask", "it was the call of a function, and is a `sleep` now");
    { ask = retries(world); } => { ask = steps::sleep(HOUR); }
}
pair! {
    a_pause_becomes_shorter(world): Fits;
    { a = act(world, "a"); ask = steps::sleep(2 * HOUR); } => { a = act(world, "a"); ask = steps::sleep(HOUR); }
}
pair! {
    a_pause_becomes_longer(world): Fits;
    { a = act(world, "a"); ask = steps::sleep(HOUR); } => { a = act(world, "a"); ask = steps::sleep(2 * HOUR); }
}
pair! {
    a_step_becomes_a_group(world): Refused("a", "its kind was `step`, and is `group` now");
    { a = act(world, "a"); } => { a = { a = act(world, "a"); } }
}
pair! {
    a_group_becomes_a_step(world): Refused("a", "its kind was `group`, and is `step` now");
    { a = { a = act(world, "a"); } } => { a = act(world, "a"); }
}
pair! {
    a_group_becomes_a_parallel(world): Fits;
    { a = { a = act(world, "a"); } } => { a = parallel { a = act(world, "a"); } }
}
pair! {
    a_group_becomes_an_if(world): Refused("a", "its kind was `group`, and is `if` now");
    { a = { a = act(world, "a"); } } => { a = if world.log().is_empty() { a = act(world, "a"); } }
}
pair! {
    the_output_of_a_step_gets_another_type(world):
    Refused("a", "its saved output can't be read: invalid type: integer `1`");
    { a = act(world, "a"); b = act(world, "b"); } => { a = text(world, "a"); b = act(world, "b"); }
}
pair! {
    the_value_of_a_let_line_gets_another_type(world):
    Refused("n", "its saved output can't be read: invalid type: integer `1`");
    { let n: u32 = 1; a = act(world, "a"); } => { let n: String = "1".to_owned(); a = act(world, n); }
}
pair! {
    /// The undo had nothing to be given, and the rollback was stuck.
    an_undo_takes_what_was_seen_before_a_step_and_nothing_was(world):
    Refused("a", "what was seen before it, which its undo takes, can't be read: it was not recorded");
    { a = seen(world, "a"); b = act(world, "b"); } => { a = looked(world, "a"); b = act(world, "b"); }
}
pair! {
    what_was_seen_before_a_step_gets_another_type(world):
    Refused("a", "what was seen before it, which its undo takes, can't be read: invalid type");
    { a = looked(world, "a"); b = act(world, "b"); } => { a = looked_text(world, "a"); b = act(world, "b"); }
}
pair! {
    an_undo_takes_no_more_what_was_seen(world): Fits;
    { a = looked(world, "a"); b = act(world, "b"); } => { a = seen(world, "a"); b = act(world, "b"); }
}
