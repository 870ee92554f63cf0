//! The program `steps`, run on files that flows have written.

mod acting;
mod beside;
mod finding;
mod support;
mod transfer;
mod usage;
