//! Executions whose values are encrypted on their way into the store.

#[path = "../common/stores.rs"]
mod stores;
#[path = "../engine/support.rs"]
#[expect(dead_code, reason = "it is made for other tests, too")]
mod support;

mod files;
mod keys;
mod rules;
