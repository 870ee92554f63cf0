//! The six benchmarks of the Go library, as far as there is the same work here.

use crate::table::Table;

pub(crate) fn rows(table: &mut Table) {
    let _ = table;
}
