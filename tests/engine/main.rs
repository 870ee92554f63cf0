//! The engine, on each store.

mod basics;
mod between;
mod children;
mod clock_set;
mod control;
mod durations;
mod early;
mod finding;
mod lapse;
mod larger;
mod late;
mod operator;
mod queries;
mod requests;
mod runtimes;
mod several;
mod signals;
mod support;
mod threads;
mod urls;
mod values;
mod volatile;
