//! Who has refused an execution, as a column.

use crate::store::Refuser;

/// Returns a number with 16 digits, base 16.
pub fn hex(number: u64) -> String {
    format!("{number:016x}")
}

/// Returns one of those who refuse, as it stands in the column.
pub fn one(refuser: Refuser) -> String {
    format!("{}:{}", hex(refuser.fingerprint), hex(refuser.build))
}

/// Returns all of them as a column; nothing if there are none.
pub fn column(refusers: &[Refuser]) -> Option<String> {
    let all: Vec<String> = refusers.iter().map(|refuser| one(*refuser)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Reads a column. What is none of ours is passed over.
pub fn read(column: &str) -> Vec<Refuser> {
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
    fn a_column_is_read_as_it_was_written() {
        let all = [0, 1, 0x1234_5678_9012_3456, u64::MAX].map(|number| Refuser {
            fingerprint: number,
            build: !number,
        });
        assert_eq!(read(&column(&all).unwrap()), all);
        assert_eq!(column(&[]), None);
    }
}
