//! A `PostgreSQL` server of a test program's own, which is installed where it is missing and can be.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "a test that panics says why")]

mod programs;
pub mod server;
