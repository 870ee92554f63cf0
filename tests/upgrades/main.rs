//! A program changes while its executions run: each pair of versions of a flow is tried with an
//! execution that waits, and with one in each state of a rollback. Whoever asks is given one answer;
//! what fits is undone as it was done, and what does not fit is left to the older version.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod arms;
mod children;
mod decided;
mod inputs;
mod kinds;
mod lines;
mod rollback;
mod support;
mod times;
