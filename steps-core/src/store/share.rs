//! How much one transaction reads or deletes, whatever the executions in it hold: a store works in
//! such shares, so that nobody waits long for another one's large tree.

use crate::model::state::NodeData;

/// What is left of how much one call of a store may read or delete: see
/// [`Claimed::left`](super::Claimed::left).
///
/// ```
/// use steps::store::Share;
///
/// let mut share = Share::default();
/// assert!(share.take(Share::ROWS - 1, 100));
/// assert!(!share.take(2, 100), "one row is left");
/// assert!(!share.take(1, 0), "what did not fit has used it up");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    rows: usize,
    bytes: usize,
}

impl Share {
    /// The most rows of nodes: 5,000.
    pub const ROWS: usize = 5_000;
    /// The most bytes of the values in them: 4 MiB.
    pub const BYTES: usize = 4 << 20;

    /// A share without bounds.
    pub const UNBOUNDED: Self = Self {
        rows: usize::MAX,
        bytes: usize::MAX,
    };

    /// Takes this much of it. Returns whether that was left; if not, nothing is left.
    pub const fn take(&mut self, rows: usize, bytes: usize) -> bool {
        let fits = rows <= self.rows && bytes <= self.bytes;
        *self = if fits {
            Self {
                rows: self.rows - rows,
                bytes: self.bytes - bytes,
            }
        } else {
            Self { rows: 0, bytes: 0 }
        };
        fits
    }

    /// Returns whether nothing more fits.
    pub const fn is_used_up(self) -> bool {
        self.rows == 0 || self.bytes == 0
    }
}

impl Default for Share {
    /// A whole one: [`ROWS`](Self::ROWS) and [`BYTES`](Self::BYTES).
    fn default() -> Self {
        Self {
            rows: Self::ROWS,
            bytes: Self::BYTES,
        }
    }
}

/// Returns how many bytes the values of a node have, and its errors.
pub fn bytes_of(node: &NodeData) -> usize {
    let errors: usize = node.errors.iter().map(String::len).sum();
    let values = [
        &node.info,
        &node.input,
        &node.output,
        &node.before,
        &node.after,
    ];
    let values = values.into_iter().flatten().map(|json| json.get().len());
    errors + values.sum::<usize>()
}
