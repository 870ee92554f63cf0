//! The controller against an API server: conflicts, deaths, changes, deletion, size. The server is one in memory, or
//! a real one: see [`server`]. All tests but those in `real` are the same for both.

mod api;
mod controller;
mod deaths;
mod deletion;
mod killed;
mod object;
mod real;
mod refused;
mod server;
mod size;
mod store;
