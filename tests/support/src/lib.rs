//! What the packages of tests share: programs of this workspace, a `PostgreSQL` server of a test program's own, and
//! processes whose clock is set.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "a test that panics says why")]

pub mod cargo;
#[cfg(target_os = "linux")]
pub mod faketime;
pub mod postgres;
