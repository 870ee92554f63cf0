//! Time limits and deadlines that are set, changed and taken away.

use std::time::Duration;

use steps::prelude::*;

use crate::support::*;

pair! {
    a_signal_gets_a_time_limit(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<u32>(); }
    => { a = act(world, "a"); ask = steps::signal::<u32>().within("1h"); }
}
pair! {
    a_signal_loses_its_time_limit(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<u32>().within("1h"); }
    => { a = act(world, "a"); ask = steps::signal::<u32>(); }
}
pair! {
    a_signal_whose_time_was_over_loses_its_limit(world): Refused("ask", "its saved output can't be read");
    { ask = steps::signal::<u32>().within(Duration::ZERO); a = act(world, "a"); }
    => { ask = steps::signal::<u32>(); a = act(world, "a"); }
}
pair! {
    a_line_gets_a_deadline(world): Fits;
    { a = act(world, "a"); ask = steps::signal::<u32>(); }
    => { a = act(world, "a"); #[deadline("1h")] ask = steps::signal::<u32>(); }
}
pair! {
    a_line_loses_its_deadline(world): Fits;
    { a = act(world, "a"); #[deadline("1h")] ask = steps::signal::<u32>(); }
    => { a = act(world, "a"); ask = steps::signal::<u32>(); }
}
pair! {
    a_group_gets_a_deadline(world): Fits;
    { group = { a = act(world, "a"); ask = steps::signal::<u32>(); } }
    => { #[deadline("1h")] group = { a = act(world, "a"); ask = steps::signal::<u32>(); } }
}
