//! The example `move_to_vpc`, run as a program, on its own state files and on those of the Go
//! program that it takes over from.

mod bad_input;
#[path = "../common/mod.rs"]
mod common;
mod go_files;
mod job;
mod passes;
mod tree;
