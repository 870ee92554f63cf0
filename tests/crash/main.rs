//! Every flow here is cut off at each commit, taken up from the saved JSON, and made to fail and
//! to panic at each step and each undo.

mod basics;
mod children;
mod choices;
mod data_flow;
mod kept;
mod let_lines;
mod lost;
mod on_postgres;
mod requests;
mod slow;
mod stores;
mod times;
