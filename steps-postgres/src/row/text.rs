//! Lists that stand in one column, as text: who has refused an execution, and which of its rows are past.

use steps_core::store::{Past, Refuser};

/// Returns a number with 16 digits, base 16.
pub(crate) fn hex(number: u64) -> String {
    format!("{number:016x}")
}

/// Returns one of those who refuse, as it stands in the column.
pub(crate) fn refuser(refuser: Refuser) -> String {
    format!("{}:{}", hex(refuser.fingerprint), hex(refuser.build))
}

/// Returns all of them as a column; nothing if there are none.
pub(crate) fn refusers(all: &[Refuser]) -> Option<String> {
    let all: Vec<String> = all.iter().map(|one| refuser(*one)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Reads a column. What is none of ours is passed over.
pub(crate) fn read_refusers(column: &str) -> Vec<Refuser> {
    let refusers = column.split_ascii_whitespace().filter_map(|one| {
        let (fingerprint, build) = one.split_once(':')?;
        Some(Refuser {
            fingerprint: u64::from_str_radix(fingerprint, 16).ok()?,
            build: u64::from_str_radix(build, 16).ok()?,
        })
    });
    refusers.collect()
}

/// Returns what is past as a column; nothing if no rows are.
pub(crate) fn past(past: &Past) -> Option<String> {
    let Past { by, rows } = past;
    (!rows.is_empty()).then(|| format!("{} {rows}", refuser(*by)))
}

/// Reads a column. Where it can't be read, nothing is past.
pub(crate) fn read_past(column: &str) -> Option<Past> {
    let (by, rows) = column.split_once(' ')?;
    Some(Past {
        by: read_refusers(by).pop()?,
        rows: rows.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_they_were_written() {
        let all = [0, 1, 0x1234_5678_9012_3456, u64::MAX].map(|number| Refuser {
            fingerprint: number,
            build: !number,
        });
        assert_eq!(read_refusers(&refusers(&all).unwrap()), all);
        assert_eq!(refusers(&[]), None);
        let kept = Past {
            by: all[2],
            rows: "3-17 19-40".parse().unwrap(),
        };
        assert_eq!(read_past(&past(&kept).unwrap()), Some(kept));
        assert_eq!(read_past("3-17"), None);
    }
}
