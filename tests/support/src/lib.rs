//! What the packages of tests share: programs of this workspace, and a `PostgreSQL` server of a test program's own.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "a test that panics says why")]

pub mod cargo;
pub mod postgres;
