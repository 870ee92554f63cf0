//! What rows hold, without the SQL that reads and writes them: `columns` reads a row's columns one after the
//! other, and `node` makes columns of a node and a node of them. What stands in a column as other stores have it is
//! `steps_core::store::column`.

pub(crate) use steps_core::store::column::{begun, nanos, past, refusers};

pub(crate) mod columns;
pub(crate) mod node;
