//! Lines that are added, removed, renamed, moved or marked.

use steps::prelude::*;

use crate::support::*;

#[step(volatile)]
pub(crate) async fn volatile(world: &World, name: &str) -> Result<u32, String> {
    world.did(format!("+{name}"));
    Ok(1)
}

#[undo(volatile, retry(times = 1000, every = "1h"))]
async fn unvolatile(world: &World, name: &str, _: &u32) -> Result<(), String> {
    world.take_back(name)
}

#[step]
pub(crate) async fn nothing(world: &World, name: &str) -> Result<(), String> {
    world.did(format!("+{name}"));
    Ok(())
}

#[undo(nothing, retry(times = 1000, every = "1h"))]
async fn unnothing(world: &World, name: &str, _: &()) -> Result<(), String> {
    world.take_back(name)
}

#[step(volatile)]
pub(crate) async fn volatile_nothing(world: &World, name: &str) -> Result<(), String> {
    world.did(format!("+{name}"));
    Ok(())
}

#[undo(volatile_nothing, retry(times = 1000, every = "1h"))]
async fn unvolatile_nothing(world: &World, name: &str, _: &()) -> Result<(), String> {
    world.take_back(name)
}

#[step]
pub(crate) async fn fails(_world: &World) -> Result<u32, String> {
    Err("no".to_owned())
}

pair! {
    a_line_is_added_at_the_end(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<()>(); }
    => { a = act(world, "a"); ask = steps::signal::<()>(); new = act(world, "new"); }
}
pair! {
    a_line_is_added_at_the_front(world): Refused("new", "is new, and stands before steps that have begun"), back |_| Fits;
    { a = act(world, "a"); } => { new = act(world, "new"); a = act(world, "a"); }
}
pair! {
    a_line_is_added_in_the_middle(world): Refused("new", "is new, and stands before steps that have begun"), back |_| Fits;
    { a = act(world, "a"); b = act(world, "b"); }
    => { a = act(world, "a"); new = act(world, "new"); b = act(world, "b"); }
}
pair! {
    a_line_is_added_to_a_group_that_is_done(world): Refused("g.new", "is new"), back |_| Fits;
    { g = { a = act(world, "a"); } b = act(world, "b"); }
    => { g = { a = act(world, "a"); new = act(world, "new"); } b = act(world, "b"); }
}
pair! {
    a_line_is_added_to_a_parallel_that_is_done(world): Refused("g.new", "is new"), back |_| Fits;
    { g = parallel { a = act(world, "a"); } b = act(world, "b"); }
    => { g = parallel { a = act(world, "a"); new = act(world, "new"); } b = act(world, "b"); }
}
pair! {
    a_line_is_added_to_items_that_are_done(world): Refused("all.1.new", "is new"), back |_| Fits;
    { all = for i in [1_u32] by i { a = act(world, &i.to_string()); } b = act(world, "b"); }
    => { all = for i in [1_u32] by i { a = act(world, &i.to_string()); new = act(world, "new"); } b = act(world, "b"); }
}
pair! {
    a_line_is_removed(world): Refused("a", "has begun, and the flow has it no more");
    { a = act(world, "a"); b = act(world, "b"); } => { b = act(world, "b"); }
}
pair! {
    a_line_is_renamed(world): Refused("a", "has begun, and the flow has it no more");
    { a = act(world, "a"); b = act(world, "b"); } => { other = act(world, "a"); b = act(world, "b"); }
}
pair! {
    a_line_is_renamed_with_an_alias(world): Fits;
    { a = act(world, "a"); b = act(world, "b"); }
    => { #[step(alias = "a")] other = act(world, "a"); b = act(world, "b"); }
}
pair! {
    /// `upg_moved`: they were undone in the new order.
    upg_moved_two_lines_that_are_done_are_exchanged(world): Fits;
    { disk = act(world, "disk"); vm = act(world, "vm"); }
    => { vm = act(world, "vm"); disk = act(world, "disk"); }
}
pair! {
    upg_moved_among_others(world): Fits;
    { a = act(world, "a"); b = act(world, "b"); c = act(world, "c"); d = act(world, "d"); }
    => { d = act(world, "d"); b = act(world, "b"); c = act(world, "c"); a = act(world, "a"); }
}
pair! {
    upg_moved_in_a_group(world): Fits;
    { g = { disk = act(world, "disk"); vm = act(world, "vm"); } }
    => { g = { vm = act(world, "vm"); disk = act(world, "disk"); } }
}
pair! {
    upg_moved_in_an_item(world): Fits;
    { all = for i in [1_u32] by i { disk = act(world, "disk"); vm = act(world, "vm"); } }
    => { all = for i in [1_u32] by i { vm = act(world, "vm"); disk = act(world, "disk"); } }
}
pair! {
    upg_moved_in_a_round(world): Fits;
    { again = loop max 2 { disk = act(world, "disk"); vm = act(world, "vm"); } until world.log().len() == 4 }
    => { again = loop max 2 { vm = act(world, "vm"); disk = act(world, "disk"); } until world.log().len() == 4 }
}
pair! {
    upg_moved_before_one_that_has_not_begun(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<()>(); b = act(world, "b"); c = act(world, "c"); }
    => { a = act(world, "a"); ask = steps::signal::<()>(); c = act(world, "c"); b = act(world, "b"); }
}
pair! {
    a_line_that_has_not_begun_is_moved_before_one_that_has(world): Refused("b", "stands before steps that have begun");
    { a = act(world, "a"); ask = steps::signal::<()>(); b = act(world, "b"); }
    => { b = act(world, "b"); a = act(world, "a"); ask = steps::signal::<()>(); }
}
pair! {
    a_line_is_moved_into_a_group(world): Refused("a", "has begun, and the flow has it no more");
    { a = act(world, "a"); b = act(world, "b"); } => { g = { a = act(world, "a"); } b = act(world, "b"); }
}
pair! {
    /// It runs last, and is undone first.
    a_late_optional_line_is_undone_by_when_it_ran(world): Fits;
    { a = act(world, "a"); b = act(world, "b"); }
    => { a = act(world, "a"); #[optional] new = act(world, "new"); b = act(world, "b"); }
}
pair! {
    late_optional_lines_are_undone_by_when_they_ran(world): Fits;
    { g = { a = act(world, "a"); b = act(world, "b"); ask = if world.log().is_empty() { x = act(world, "x"); } } }
    => { #[optional] new = act(world, "new"); #[optional] other = act(world, "other");
      g = { a = act(world, "a"); b = act(world, "b"); ask = if world.log().is_empty() { x = act(world, "x"); } } }
}
pair! {
    a_line_becomes_optional(world): Fits;
    { a = act(world, "a"); b = act(world, "b"); }
    => { #[optional] a = act(world, "a"); b = act(world, "b"); }
}
pair! {
    a_line_that_was_passed_over_is_not_optional_any_more(world): Refused("a", "it failed, which was passed over"), back |_| Fits;
    { #[optional] a = fails(world); b = act(world, "b"); } => { a = fails(world); b = act(world, "b"); }
}
pair! {
    /// `upg_to_volatile`: it ran again each time.
    upg_to_volatile_a_step_that_is_done_is_marked(world): Fits;
    { a = act(world, "a"); b = act(world, "b"); } => { a = volatile(world, "a"); b = act(world, "b"); }
}
pair! {
    upg_to_volatile_of_a_step_that_gave_nothing(world): Fits;
    { a = nothing(world, "a"); b = act(world, "b"); } => { a = volatile_nothing(world, "a"); b = act(world, "b"); }
}
pair! {
    upg_to_volatile_in_an_item(world): Fits;
    { all = for i in [1_u32] by i { a = act(world, "a"); } b = act(world, "b"); }
    => { all = for i in [1_u32] by i { a = volatile(world, "a"); } b = act(world, "b"); }
}
pair! {
    a_step_is_not_volatile_any_more(world): Refused("a", "it was `volatile`, so its output was not saved");
    { a = volatile(world, "vol"); b = act(world, "b"); } => { a = act(world, "vol"); b = act(world, "b"); }
}
pair! {
    a_line_of_a_parallel_uses_another_that_is_done(world): Fits;
    { g = parallel { a = act(world, "a"); b = check(true); } }
    => { g = parallel { a = act(world, "a"); b = check(a > 0); } }
}
pair! {
    a_line_of_a_parallel_that_is_done_uses_one_that_is_new(world): Refused("g.new", "is new"), back |_| Fits;
    { g = parallel { a = act(world, "a"); ask = steps::signal::<()>(); } }
    => { g = parallel { new = act(world, "new"); a = act(world, if new > 0 { "a" } else { "" }); ask = steps::signal::<()>(); } }
}
