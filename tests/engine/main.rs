//! The engine, on each store.

mod basics;

mod finding;
mod several;
mod support;
