//! Who has refused an execution, as a column.

use steps_core::store::Refuser;

/// Returns a number with 16 digits, base 16.
pub(crate) fn hex(number: u64) -> String {
    format!("{number:016x}")
}

/// Returns one of those who refuse, as it stands in the column.
pub(crate) fn one(refuser: Refuser) -> String {
    format!("{}:{}", hex(refuser.fingerprint), hex(refuser.build))
}

/// Returns all of them as a column; nothing if there are none.
pub(crate) fn column(refusers: &[Refuser]) -> Option<String> {
    let all: Vec<String> = refusers.iter().map(|refuser| one(*refuser)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Reads a column. What is none of ours is passed over.
pub(crate) fn read(column: &str) -> Vec<Refuser> {
    let refusers = column.split_ascii_whitespace().filter_map(|one| {
        let (fingerprint, build) = one.split_once(':')?;
        Some(Refuser {
            fingerprint: u64::from_str_radix(fingerprint, 16).ok()?,
            build: u64::from_str_radix(build, 16).ok()?,
        })
    });
    refusers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_as_it_was_written_and_is_never_taken_for_a_number() {
        let all = [0, 1, 0x1234_5678_9012_3456, u64::MAX];
        let all = all.map(|number| Refuser {
            fingerprint: number,
            build: !number,
        });
        let text = column(&all).unwrap();
        assert_eq!(read(&text), all);
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t (refused INTEGER)")
            .unwrap();
        for one in all {
            conn.execute("INSERT INTO t VALUES (?1)", [column(&[one])])
                .unwrap();
        }
        let mut types = conn.prepare("SELECT typeof(refused) FROM t").unwrap();
        let types = types.query_map([], |row| row.get::<_, String>(0)).unwrap();
        assert!(types.map(Result::unwrap).all(|of| of == "text"));
        assert_eq!(column(&[]), None);
    }
}
