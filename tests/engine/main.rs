//! The engine, on each store.

mod asked;
mod basics;
mod between;
mod control;
mod finding;
mod lapse;
mod late;
mod several;
mod support;
mod urls;
