//! The controller against an API server in memory: conflicts, deaths, changes, deletion, size.

mod api;
mod controller;
mod deaths;
mod deletion;
mod object;
mod refused;
mod store;
mod watch;
