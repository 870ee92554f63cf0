//! What is past of an execution, as a column.

use super::refusers;
use crate::store::Past;

/// Returns the column; nothing if no rows are past.
pub fn column(past: &Past) -> Option<String> {
    let Past { by, rows } = past;
    (!rows.is_empty()).then(|| format!("{} {rows}", refusers::one(*by)))
}

/// Reads a column. Where it can't be read, nothing is past.
pub fn read(column: &str) -> Option<Past> {
    let (by, rows) = column.split_once(' ')?;
    Some(Past {
        by: refusers::read(by).pop()?,
        rows: rows.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Refuser;

    #[test]
    fn a_column_is_read_as_it_was_written() {
        let kept = Past {
            by: Refuser {
                fingerprint: 0x1234_5678_9012_3456,
                build: 7,
            },
            rows: "3-17 19-40".parse().unwrap(),
        };
        assert_eq!(read(&column(&kept).unwrap()), Some(kept));
        assert_eq!(read("3-17"), None);
    }
}
