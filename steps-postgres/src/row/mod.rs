//! What rows hold, without the SQL that reads and writes them: `columns` reads a row's columns one after the
//! other, `node` makes columns of a node and a node of them, `nanos` converts times, and `text` writes lists that
//! stand in one column.

pub(crate) mod columns;
pub(crate) mod nanos;
pub(crate) mod node;
pub(crate) mod text;
