//! What the tests of this folder share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub use steps_test_support::postgres as server;

pub mod backwards;
pub mod cli;
pub mod cutting;
pub mod deaf;
pub mod load;
pub mod proxy;
pub mod writes;
