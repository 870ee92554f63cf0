//! What the tests of this folder share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod backwards;
pub mod deaf;
pub mod programs;
pub mod server;
pub mod writes;
