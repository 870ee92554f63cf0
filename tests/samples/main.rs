//! Jobs that other systems show as their samples, written as one would in a service. Each is run to its
//! end, fails and is taken back, and is cut off at each write of an engine.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod children;
mod diamond;
mod items;
mod offer;
mod outside_job;
mod provision;
mod reminders;
mod sign_up;
mod support;
mod transfer;
mod trial;
mod trip;
