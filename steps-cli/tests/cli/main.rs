//! The program `steps`, run on files that flows have written.

mod acting;
mod beside;
mod finding;
mod schedules;
mod support;
mod transfer;
mod usage;
