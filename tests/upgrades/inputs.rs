//! The recorded input of a nested flow.

use steps::prelude::*;

use crate::support::*;

macro_rules! inner {
    ($name:ident($($params:tt)*) $(-> $out:ty, $value:expr)?) => {
        #[flow]
        pub(crate) async fn $name(world: &World, $($params)*) -> Result<inner!(@ty $($out)?), String> {
            steps! { x = act(world, "x"); }
            let _ = x;
            Ok(inner!(@value $($value)?))
        }
    };
    (@ty $out:ty) => { $out };
    (@ty) => { () };
    (@value $value:expr) => { $value };
    (@value) => { () };
}
inner!(one(n: u32));
inner!(two(n: u32, heavy: bool));
inner!(maybe_two(n: u32, heavy: Option<bool>));
inner!(none());
inner!(other(m: u32));
inner!(aliased(#[alias = "n"] m: u32));
inner!(text(n: String));
inner!(wide(n: u64));
inner!(gives(n: u32) -> u32, 1);
inner!(gives_text(n: u32) -> String, "1".to_owned());

#[flow]
pub(crate) async fn asks(world: &World, n: u32) -> Result<(), String> {
    steps! { x = act(world, "x"); ok = steps::signal::<bool>(); }
    let _ = (n, x, ok);
    Ok(())
}

#[flow]
pub(crate) async fn asks_two(world: &World, n: u32, heavy: bool) -> Result<(), String> {
    steps! { x = act(world, "x"); ok = steps::signal::<bool>(); }
    let _ = (n, heavy, x, ok);
    Ok(())
}

pair! {
    /// `upg_undo_again`: it was found when the rollback got there, again and again.
    upg_undo_again_a_nested_flow_gets_one_more_input(world):
    Refused("it", "its saved input can't be read: field `heavy` is missing");
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow two(world, 1, false); paid = act(world, "pay"); }
}
pair! {
    upg_undo_again_in_a_parallel(world):
    Refused("both.it", "field `heavy` is missing");
    { both = parallel { it = flow one(world, 1); } paid = act(world, "pay"); }
    => { both = parallel { it = flow two(world, 1, false); } paid = act(world, "pay"); }
}
pair! {
    upg_undo_again_in_an_item(world):
    Refused("all.7.it", "field `heavy` is missing");
    { all = for i in [7_u32] by i { it = flow one(world, i); } paid = act(world, "pay"); }
    => { all = for i in [7_u32] by i { it = flow two(world, i, false); } paid = act(world, "pay"); }
}
pair! {
    upg_undo_again_in_a_round(world):
    Refused("again.1.it", "field `heavy` is missing");
    { again = loop max 3 { it = flow one(world, 1); } until true paid = act(world, "pay"); }
    => { again = loop max 3 { it = flow two(world, 1, false); } until true paid = act(world, "pay"); }
}
pair! {
    upg_undo_again_while_the_nested_flow_waits(world):
    Refused("it", "field `heavy` is missing"), back |_| Fits;
    { it = flow asks(world, 1); }
    => { it = flow asks_two(world, 1, false); }
}
pair! {
    a_nested_flow_gets_an_input_that_may_be_missing(world): Fits;
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow maybe_two(world, 1, None); paid = act(world, "pay"); }
}
pair! {
    a_nested_flow_loses_an_input(world): Refused("it", "no parameter takes the field `n`");
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow none(world); paid = act(world, "pay"); }
}
pair! {
    an_input_of_a_nested_flow_is_renamed(world): Refused("it", "field `m` is missing");
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow other(world, 1); paid = act(world, "pay"); }
}
pair! {
    an_input_of_a_nested_flow_is_renamed_with_an_alias(world): Fits;
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow aliased(world, 1); paid = act(world, "pay"); }
}
pair! {
    an_input_of_a_nested_flow_gets_another_type(world): Refused("it", "field `n`: invalid type: integer `1`");
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow text(world, String::new()); paid = act(world, "pay"); }
}
pair! {
    an_input_of_a_nested_flow_gets_a_type_that_reads_it(world): Fits;
    { it = flow one(world, 1); paid = act(world, "pay"); }
    => { it = flow wide(world, 1); paid = act(world, "pay"); }
}
pair! {
    the_output_of_a_nested_flow_gets_another_type(world):
    Refused("it", "its saved output can't be read: invalid type: integer `1`"),
    back |act| if act == "x" { Fits } else { Refused("it", "its saved output can't be read") };
    { it = flow gives(world, 1); paid = act(world, "pay"); }
    => { it = flow gives_text(world, 1); paid = act(world, "pay"); }
}
