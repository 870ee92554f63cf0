//! The engine, on each store.

mod asked;
mod basics;

mod finding;
mod several;
mod support;
