//! A rollback that is under way.

use steps::prelude::*;

use crate::support::*;

#[flow]
pub(crate) async fn nested(world: &World) -> Result<(), String> {
    steps! { x = act(world, "x"); y = act(world, "y"); }
    let _ = (x, y);
    Ok(())
}

#[flow]
pub(crate) async fn nested_with_more(world: &World) -> Result<(), String> {
    steps! { x = act(world, "x"); new = act(world, "new"); y = act(world, "y"); }
    let _ = (x, y, new);
    Ok(())
}

#[step]
pub(crate) async fn kept(world: &World) -> Result<(), String> {
    let _ = world;
    Ok(())
}

pair! {
    upg_rollback_new_line_in_a_nested_flow(world): Refused("it.new", "stands before steps that have begun"), back |_| Fits;
    { it = flow nested(world); b = act(world, "b"); } => { it = flow nested_with_more(world); b = act(world, "b"); }
}
pair! {
    upg_rollback_new_line_with_a_scope_of_its_own(world): Refused("new", "stands before steps that have begun"), back |_| Fits;
    { a = act(world, "a"); b = act(world, "b"); }
    => { a = act(world, "a"); new = { c = act(world, "c"); } b = act(world, "b"); }
}
pair! {
    a_pivot_is_set_on_a_line_that_has_not_begun(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<()>(); k = kept(world); }
    => { a = act(world, "a"); ask = steps::signal::<()>(); #[pivot] k = kept(world); }
}

pair! {
    /// The undo of `b` would have to be given what never was.
    upg_rollback_new_line_whose_value_the_undo_of_a_later_one_uses(world):
    Refused("new", "stands before steps that have begun"),
    back |act| if act == "b" { Refused("new", "stands before steps that have begun") } else { Fits };
    { a = act(world, "a"); b = act(world, "b"); }
    => { a = act(world, "a"); new = act(world, "new"); b = act(world, if new > 0 { "b" } else { "" }); }
}
pair! {
    upg_rollback_new_line_in_a_group_whose_value_is_used(world):
    Refused("g.new", "is new"),
    back |act| if act == "b" { Refused("g.new", "is new") } else { Fits };
    { g = { a = act(world, "a"); } b = act(world, if g.a > 0 { "b" } else { "" }); }
    => { g = { a = act(world, "a"); new = act(world, "new"); } b = act(world, if g.a > 0 { "b" } else { "" }); }
}
pair! {
    upg_rollback_new_line_in_a_group_of_one_whose_value_is_used(world):
    Refused("g.h.new", "is new"),
    back |act| if act == "b" { Refused("g.h.new", "is new") } else { Fits };
    { g = { h = { a = act(world, "a"); } } b = act(world, if g.h.a > 0 { "b" } else { "" }); }
    => { g = { h = { a = act(world, "a"); new = act(world, "new"); } } b = act(world, if g.h.a > 0 { "b" } else { "" }); }
}
pair! {
    upg_rollback_new_line_in_rounds(world): Refused("again.1.new", "is new");
    { again = loop max 3 { a = act(world, "r"); } until world.log().len() == 2 }
    => { again = loop max 3 { a = act(world, "r"); new = act(world, "new"); } until world.log().len() == 2 }
}
pair! {
    /// It has no value for `b`, so that it can't be late.
    a_late_optional_line_whose_value_is_used(world):
    Refused("new", "stands before steps that have begun"),
    back |act| if act == "b" { Refused("new", "stands before steps that have begun") } else { Fits };
    { b = act(world, "b"); }
    => { #[optional] new = act(world, "new"); b = act(world, if new.is_some() { "b" } else { "b" }); }
}
