//! The engine, on each store.

mod asked;
mod basics;
mod control;
mod finding;
mod lapse;
mod several;
mod support;
mod urls;
