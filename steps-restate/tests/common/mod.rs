//! What the tests share: a server of their own, the service, and what is asked of both.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod program;
pub mod server;
pub mod setting;
