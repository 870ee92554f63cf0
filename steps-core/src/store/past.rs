//! The rows of an execution that are over: what a run that goes on forward never looks at again, such as
//! the rounds of a `loop` before the last one.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use super::Refuser;

/// Rows of an execution that a [claim](super::Store::claim) leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The flow that has said so. Another one, which may read more of what was recorded, asks for all
    /// rows, and compares them with its own lines.
    pub by: Refuser,
    /// The numbers of the rows.
    pub rows: RowRanges,
}

/// Numbers of rows, as ranges: as text `3-17 19-40`.
///
/// ```
/// use steps::store::RowRanges;
///
/// let mut rows = RowRanges::default();
/// [3, 4, 9, 5].map(|row| rows.insert(row));
/// assert_eq!(rows.to_string(), "3-5 9-9");
/// assert_eq!("3-5 9-9".parse(), Ok(rows.clone()));
/// assert_eq!(rows.gaps().collect::<Vec<_>>(), [0..=2, 6..=8, 10..=u32::MAX]);
/// assert!(rows.contains(4) && rows.count() == 4);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRanges(Vec<(u32, u32)>);

impl RowRanges {
    /// Adds a number.
    pub fn insert(&mut self, row: u32) {
        let ranges = &mut self.0;
        // The first range that ends at the number before, or later.
        let at = ranges.partition_point(|(_, last)| last.saturating_add(1) < row);
        match ranges.get_mut(at) {
            Some((first, _)) if row.saturating_add(1) == *first => *first = row,
            Some((first, last)) if *first <= row => *last = row.max(*last),
            _ => ranges.insert(at, (row, row)),
        }
        if at + 1 < ranges.len() && ranges[at].1.saturating_add(1) >= ranges[at + 1].0 {
            let (_, last) = ranges.remove(at + 1);
            ranges[at].1 = ranges[at].1.max(last);
        }
    }

    /// Returns whether a number is among them.
    pub fn contains(&self, row: u32) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < row);
        self.0.get(at).is_some_and(|(first, _)| *first <= row)
    }

    /// Returns whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many numbers there are.
    pub fn count(&self) -> usize {
        let counts = self.0.iter().map(|(first, last)| last - first + 1);
        counts.fold(0, |sum, count| sum.saturating_add(count as usize))
    }

    /// Returns the largest number.
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|(_, last)| *last)
    }

    /// Returns them as ranges that do not touch, in order.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u32>> {
        self.0.iter().map(|(first, last)| *first..=*last)
    }

    /// Returns the ranges of the numbers that are not among them, in order.
    pub fn gaps(&self) -> impl Iterator<Item = RangeInclusive<u32>> {
        let mut next = Some(0);
        let ends = self.0.iter().copied().map(Some).chain([None]);
        ends.filter_map(move |range| {
            let first = next?;
            let Some((begin, end)) = range else {
                return Some(first..=u32::MAX);
            };
            next = end.checked_add(1);
            (first < begin).then(|| first..=begin - 1)
        })
    }
}

impl fmt::Display for RowRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (first, last)) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{first}-{last}")?;
        }
        Ok(())
    }
}

impl FromStr for RowRanges {
    type Err = InvalidRanges;

    fn from_str(text: &str) -> Result<Self, InvalidRanges> {
        let ranges = text.split_ascii_whitespace().map(|range| {
            let (first, last) = range.split_once('-')?;
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some((first, last))
        });
        let ranges: Option<Vec<(u32, u32)>> = ranges.collect();
        let ranges = ranges.ok_or(InvalidRanges)?;
        let is_in_order = ranges.is_sorted_by(|a, b| a.1 < b.0);
        is_in_order.then_some(Self(ranges)).ok_or(InvalidRanges)
    }
}

/// The text is none of [`RowRanges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no ranges of rows, as in `3-17 19-40`")]
pub struct InvalidRanges;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_text_is_no_ranges() {
        for text in ["1", "2-1", "1-2 2-3", "5-6 1-2", "a-b", "1-", "-1"] {
            assert_eq!(text.parse::<RowRanges>(), Err(InvalidRanges), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_a_set(
            numbers in prop::collection::vec(
                prop_oneof![0_u32..40, Just(u32::MAX), Just(u32::MAX - 1)], 0..60),
        ) {
            let mut rows = RowRanges::default();
            let mut set = BTreeSet::new();
            for number in numbers {
                rows.insert(number);
                set.insert(number);
                prop_assert_eq!(rows.to_string().parse::<RowRanges>(), Ok(rows.clone()));
            }
            prop_assert_eq!(rows.count(), set.len());
            prop_assert_eq!(rows.last(), set.last().copied());
            let gaps: Vec<_> = rows.gaps().collect();
            for number in (0..50).chain([u32::MAX - 2, u32::MAX - 1, u32::MAX]) {
                prop_assert_eq!(rows.contains(number), set.contains(&number));
                let is_outside = gaps.iter().any(|gap| gap.contains(&number));
                prop_assert_eq!(is_outside, !set.contains(&number));
            }
        }
    }
}
