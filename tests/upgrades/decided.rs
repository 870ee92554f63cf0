//! What a `for`, an `if` and a `loop` recorded.

use steps::prelude::*;

use crate::support::*;

pair! {
    /// `upg_for_items_inside`: in a rollback it was found at the items, which stayed.
    upg_for_items_inside_the_items_get_another_type(world):
    Refused("all", "its items can't be read: invalid type: integer `1`");
    { all = for i in [1_u32, 2] by i { x = act(world, &i.to_string()); } last = act(world, "last"); }
    => { all = for i in ["1".to_owned()] by i { x = act(world, i); } last = act(world, "last"); }
}
pair! {
    upg_for_items_inside_at_once(world):
    Refused("all", "its items can't be read: invalid type: integer `1`");
    { all = for i in [1_u32] by i parallel { x = act(world, &i.to_string()); } last = act(world, "last"); }
    => { all = for i in ["1".to_owned()] by i parallel { x = act(world, i); } last = act(world, "last"); }
}
pair! {
    upg_for_items_inside_another_for(world):
    Refused("all.1.each", "its items can't be read: invalid type: integer `4`");
    { all = for i in [1_u32] by i { each = for j in [4 * i] by j { x = act(world, &j.to_string()); } } }
    => { all = for i in [1_u32] by i { each = for j in [i.to_string()] by j { x = act(world, j); } } }
}
pair! {
    upg_for_items_inside_a_round_of_an_item(world):
    Refused("all.1.again.1.each", "its items can't be read");
    { all = for i in [1_u32] by i {
        again = loop max 2 { each = for j in [4 * i] by j { x = act(world, &j.to_string()); } } until true
    } }
    => { all = for i in [1_u32] by i {
        again = loop max 2 { each = for j in [i.to_string()] by j { x = act(world, j); } } until true
    } }
}
pair! {
    the_items_of_a_for_get_a_type_that_reads_them(world): Fits;
    { all = for i in [1_u32, 2] by i { x = act(world, &i.to_string()); } }
    => { all = for i in [1_u64] by i { x = act(world, &i.to_string()); } }
}
pair! {
    /// The recorded items count.
    the_list_of_a_for_is_another_of_the_same_type(world): Fits;
    { all = for i in [1_u32, 2] by i { x = act(world, &i.to_string()); } }
    => { all = for i in vec![7_u32] by i { x = act(world, &i.to_string()); } }
}
pair! {
    /// Of the values of groups only the number was recorded.
    the_items_were_values_of_groups(world): Refused("again", "its items can't be read"),
    back |act| if act == "1" { Fits } else { Refused("again", "its items can't be read") };
    { all = for i in [1_u32] by i { x = act(world, &i.to_string()); }
      again = for g in all by g.x { y = act(world, "y"); } }
    => { all = for i in [1_u32] by i { x = act(world, &i.to_string()); }
      again = for g in all.iter().map(|g| g.x) by g { y = act(world, "y"); } }
}
pair! {
    a_for_runs_at_once(world): Fits;
    { all = for i in [1_u32] by i { x = act(world, &i.to_string()); } }
    => { all = for i in [1_u32] by i parallel { x = act(world, &i.to_string()); } }
}
pair! {
    the_value_of_an_if_let_gets_another_type(world):
    Refused("some", "the value that it matched can't be read: invalid type: integer `7`");
    { some = if let Some(n) = Some(7_u32) { x = act(world, &n.to_string()); } last = act(world, "last"); }
    => { some = if let Some(n) = Some("7".to_owned()) { x = act(world, n); } last = act(world, "last"); }
}
pair! {
    the_value_of_an_if_let_in_an_item_gets_another_type(world):
    Refused("all.1.some", "the value that it matched can't be read");
    { all = for i in [1_u32] by i { some = if let Some(n) = Some(i + 6) { x = act(world, &n.to_string()); } } }
    => { all = for i in [1_u32] by i { some = if let Some(n) = Some(i.to_string()) { x = act(world, n); } } }
}
pair! {
    the_pattern_of_an_if_let_does_not_match_any_more(world):
    Refused("some", "it does not match the pattern any more");
    { some = if let Some(7) = Some(7_u32) { x = act(world, "x"); } else { y = act(world, "y"); } }
    => { some = if let Some(8) = Some(7_u32) { x = act(world, "x"); } else { y = act(world, "y"); } }
}
pair! {
    /// The branch that was taken was recorded.
    the_condition_of_an_if_is_another(world): Fits;
    { some = if world.log().is_empty() { x = act(world, "x"); } }
    => { some = if !world.log().is_empty() { x = act(world, "x"); } }
}
pair! {
    an_if_becomes_an_if_let(world): Fits;
    { some = if world.log().is_empty() { x = act(world, "x"); } }
    => { some = if let Some(_) = Some(1_u32) { x = act(world, "x"); } }
}
pair! {
    an_else_is_added_to_an_if_that_was_not_taken(world): Refused("some.y", "is new"), back |_| Fits;
    { first = act(world, "first"); some = if world.log().is_empty() { x = act(world, "x"); } }
    => { first = act(world, "first");
      some = if world.log().is_empty() { x = act(world, "x"); } else { y = act(world, "y"); } }
}
pair! {
    a_line_is_added_to_the_branch_that_was_not_taken(world): Fits;
    { first = act(world, "first");
      some = if world.log().is_empty() { x = act(world, "x"); } else { y = act(world, "y"); } }
    => { first = act(world, "first");
      some = if world.log().is_empty() { x = act(world, "x"); new = act(world, "new"); } else { y = act(world, "y"); } }
}
pair! {
    a_loop_that_is_done_gets_a_lower_bound(world): Fits;
    { again = loop max 5 { x = act(world, "x"); } until world.log().len() == 3 }
    => { again = loop max 2 { x = act(world, "x"); } until world.log().len() == 3 }
}
pair! {
    a_loop_gets_a_bound_below_the_rounds_begun(world): Refused("again", "it has begun round 3, and may have 2 now"), back |_| Fits;
    { again = loop max 5 { x = act(world, "x"); rest = if world.log().len() == 3 { ok = steps::signal::<bool>(); } } until false }
    => { again = loop max 2 { x = act(world, "x"); rest = if world.log().len() == 3 { ok = steps::signal::<bool>(); } } until false }
}
