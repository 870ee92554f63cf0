//! The parts of the controller: what its tests use, too.
//!
//! | module | has |
//! |---|---|
//! | [`database`] | the custom resource |
//! | [`flow`] | the flow that makes a database, with its steps and their undo |
//! | [`cluster`] | what the steps do to the cluster: objects that belong to one database |
//! | [`status_store`] | the [`StateStore`](steps::state_store::StateStore) in an object's status: to be copied |
//! | [`reconcile`] | one pass for one object |

pub mod cluster;
pub mod database;
pub mod flow;
pub mod reconcile;
pub mod status_store;
