//! The name that was probably meant, of those that there are.

/// Returns the name among `known` that is most like `name`, if one is like it at all: letters that
/// are missing, added, different or swapped, at most one in three.
pub(crate) fn similar<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let least = |known: &&str| distance(name, known);
    let best = known.into_iter().min_by_key(least)?;
    let most = name.chars().count().max(3) / 3;
    (distance(name, best) <= most).then_some(best)
}

/// Returns how many letters have to be inserted, removed, changed or swapped with the next one to make
/// one text of the other, whatever their case.
fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    let (one, other) = (letters(one), letters(other));
    // The rows of the table of distances: two back, the one above, and the one being filled.
    let mut earlier: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = above[j] + usize::from(a != b);
            let mut cost = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                cost = cost.min(earlier[j - 1] + 1);
            }
            row.push(cost);
        }
        earlier = std::mem::replace(&mut above, row);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, similar};

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let known = ["create_volume", "attach", "detach"];
        for (name, meant) in [
            ("create_vloume", Some("create_volume")),
            ("createVolume", Some("create_volume")),
            ("atach", Some("attach")),
            ("dettach", Some("detach")),
            ("remove", None),
            ("", None),
        ] {
            assert_eq!(similar(name, known), meant, "{name}");
        }
        assert_eq!(similar("attach", []), None);
    }

    #[test]
    fn the_distance_counts_letters() {
        for (one, other, letters) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "acb", 1),
            ("abc", "abd", 1),
            ("abc", "xabc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
        }
    }
}
