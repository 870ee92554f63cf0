//! The program `steps`, run on files that flows have written.

mod acting;
mod beside;
mod changes;
mod encrypted;
mod finding;
mod limits;
mod logs;
mod reporting;
mod schedules;
mod support;
mod sweeping;
mod transfer;
mod usage;
mod web;
