//! Time, choice, and where a step stands: durations, limits by the clock, the branches of an `if`, and
//! what a step's context tells of its place.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod choice;
mod deadlines;
mod place;
mod recorded;
mod spans;
mod support;
mod within;
