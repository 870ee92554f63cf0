//! A `match` and its arms.

use steps::prelude::*;

use crate::support::*;

pair! {
    an_arm_is_added_and_the_arms_are_moved(world): Fits;
    { way = match Some(7_u32) { some = Some(n) => { x = act(world, &n.to_string()); } none = None => {} } }
    => { way = match Some(8_u32) {
        none = None => {}
        new = Some(7) => { y = act(world, "new"); }
        some = Some(n) => { x = act(world, &n.to_string()); }
    } }
}
pair! {
    an_arm_that_was_not_taken_is_removed(world): Fits;
    { way = match Some(7_u32) { some = Some(n) => { x = act(world, &n.to_string()); } none = None => {} } }
    => { way = match Some(7_u32) { some = n => { x = act(world, &n.unwrap().to_string()); } } }
}
pair! {
    the_arm_that_was_taken_is_removed(world): Refused("way.seven", "the flow has it no more");
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } last = act(world, "last"); }
    => { way = match 7_u32 { other = _ => {} } last = act(world, "last"); }
}
pair! {
    an_arm_is_renamed(world): Refused("way.seven", "the flow has it no more");
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } }
    => { way = match 7_u32 { sept = 7 => { x = act(world, "x"); } other = _ => {} } }
}
pair! {
    an_arm_is_renamed_with_an_alias(world): Fits;
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } }
    => { way = match 7_u32 { #[step(alias = "seven")] sept = 7 => { x = act(world, "x"); } other = _ => {} } }
}
pair! {
    the_pattern_of_the_arm_that_was_taken_is_another(world):
    Refused("way", "it does not match the pattern any more");
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } }
    => { way = match 7_u32 { seven = 8 => { x = act(world, "x"); } other = _ => {} } }
}
pair! {
    /// The arm that was taken is recorded.
    the_guard_of_an_arm_is_another(world): Fits;
    { way = match 7_u32 { big = n if n > 5 => { x = act(world, &n.to_string()); } other = _ => {} } }
    => { way = match 7_u32 { big = n if n > 50 => { x = act(world, &n.to_string()); } other = _ => {} } }
}
pair! {
    the_value_of_a_match_gets_another_type(world):
    Refused("way", "the value that it matched can't be read: invalid type: integer `7`");
    { way = match Some(7_u32) { some = Some(n) => { x = act(world, &n.to_string()); } none = _ => {} } }
    => { way = match Some("7".to_owned()) { some = Some(n) => { x = act(world, n); } none = _ => {} } }
}
pair! {
    a_line_is_added_to_the_arm_that_was_not_taken(world): Fits;
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } last = act(world, "last"); }
    => { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => { y = act(world, "y"); } }
      last = act(world, "last"); }
}
pair! {
    a_line_is_added_to_the_arm_that_is_done(world): Refused("way.seven.new", "is new"), back |_| Fits;
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } }
    => { way = match 7_u32 { seven = 7 => { x = act(world, "x"); new = act(world, "new"); } other = _ => {} } }
}
pair! {
    an_arm_becomes_a_step(world): Refused("way.seven", "its kind was `group`, and is `step` now");
    { way = match 7_u32 { seven = 7 => { x = act(world, "x"); } other = _ => {} } }
    => { way = match 7_u32 { seven = 7 => act(world, "x"); other = _ => {} } }
}
pair! {
    an_if_let_becomes_a_match(world): Refused("way", "its kind was `if`, and is `match` now");
    { way = if let Some(n) = Some(7_u32) { x = act(world, &n.to_string()); } }
    => { way = match Some(7_u32) { some = Some(n) => { x = act(world, &n.to_string()); } none = _ => {} } }
}
pair! {
    an_arm_that_was_passed_over_is_not_optional_any_more(world): Refused("way.seven", "it failed, which was passed over");
    { way = match 7_u32 { #[optional] seven = 7 => check(false); other = _ => {} } last = act(world, "last"); }
    => { way = match 7_u32 { seven = 7 => check(false); other = _ => {} } last = act(world, "last"); }
}
