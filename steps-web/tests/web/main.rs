//! The router in process: each page, each refusal, and what comes from a hostile hand.

mod access;
mod acting;
mod bulk;
mod flows;
mod forgery;
mod hostile;
mod live;
mod logs;
mod pages;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
