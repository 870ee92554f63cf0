//! The numbers of records.

/// The number of a record.
pub(crate) type Id = u32;

/// The number of the root's record.
pub(crate) const ROOT: Id = 0;

/// The row of a record that was not sent to a journal yet.
pub(super) const NO_ROW: u32 = u32::MAX;
