//! How an execution's node becomes the columns of a row, and a row becomes a node.
//!
//! `columns` converts between the two; `overflow` holds what has no column of its own, as one JSON
//! object; `nanos` converts times; `refusers` tells who has refused an execution; `size` estimates how much memory a call holds. The SQL that
//! reads and writes the rows is left to `ops`.

pub(crate) mod columns;
pub(crate) mod nanos;
pub(crate) mod overflow;
pub(crate) mod past;
pub(crate) mod refusers;
pub(crate) mod size;
