//! The numbers of records.

/// The number of a record.
pub(crate) type Id = u32;

/// The number of the root's record.
pub(crate) const ROOT: Id = 0;

/// The row of a record that was not sent to a journal yet.
pub(super) const NO_ROW: u32 = u32::MAX;

/// Returns the number of the record that stands so many after the first of those next to each other.
#[inline]
pub(crate) fn nth(first: Id, index: usize) -> Id {
    first + Id::try_from(index).unwrap_or(Id::MAX)
}
