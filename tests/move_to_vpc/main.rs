//! The example `move_to_vpc`, run as a program, on its own state files and on those of the Go
//! program that it takes over from.

mod bad_input;
mod go_files;
mod job;
mod passes;
mod tree;
