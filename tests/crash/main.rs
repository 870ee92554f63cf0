//! Every flow here is cut off at each commit, taken up from the saved JSON, and made to fail and
//! to panic at each step and each undo.

mod asked;
mod basics;
mod lost;
mod slow;
mod stores;
