//! Functions that are told of changes of statuses, on each store. What a `kill -9` does to them:
//! `tests/changes_killed`.

mod failing;
mod several;
mod support;
mod told;

#[path = "../common/stores.rs"]
mod stores;
