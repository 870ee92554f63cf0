//! How large the tree of an execution may become: what its values have already is counted, where it is limited.

use super::{
    RunCore,
    records::{Id, ROOT, Record, Records},
};
use crate::base::{error::StepError, json::Json, sync::lock};

/// The sizes of values, in bytes of JSON.
struct Sizes {
    all: usize,
    /// Of the node that has most of it.
    most: usize,
    largest: Id,
}

fn bytes_of(record: &Record) -> usize {
    let of = |value: &Option<Json>| value.as_ref().map_or(0, |value| value.get().len());
    let cold = record.cold();
    of(&record.output) + of(&cold.input) + of(&cold.info)
}

fn sizes(records: &Records) -> Sizes {
    let mut sizes = Sizes {
        all: 0,
        most: 0,
        largest: ROOT,
    };
    for id in records.ids() {
        let bytes = bytes_of(&records[id]);
        sizes.all += bytes;
        if bytes > sizes.most {
            (sizes.most, sizes.largest) = (bytes, id);
        }
    }
    sizes
}

impl RunCore {
    /// Takes room for the output of a step in the tree, if that may have so much.
    pub(super) fn take_room(&self, id: Id, bytes: usize) -> Result<(), StepError> {
        let most = self.options.limits.tree;
        if most == usize::MAX {
            return Ok(());
        }
        let mut taken = lock(&self.room);
        let after = taken.map(|taken| taken.saturating_add(bytes));
        if let Some(after) = after.filter(|after| *after <= most) {
            *taken = Some(after);
            return Ok(());
        }
        // What was let go, or is done anew, takes no room any more.
        let records = self.records();
        let sizes = sizes(&records);
        let after = sizes.all.saturating_add(bytes);
        if after <= most {
            *taken = Some(after);
            return Ok(());
        }
        let (execution, path) = (self.execution(), records.path(id));
        let largest = if sizes.most > bytes && sizes.largest != ROOT {
            format!(
                "`{}`, with {} bytes",
                records.path(sizes.largest),
                sizes.most
            )
        } else if sizes.most > bytes {
            format!("the flow's input, with {} bytes", sizes.most)
        } else {
            format!("`{path}` itself")
        };
        Err(StepError::fatal(format!(
            "its output is {bytes} bytes of JSON, with which the tree of execution `{execution}` would have {after}, \
             and the limit is {most}; the largest is {largest}: save large values elsewhere, and only where they \
             are here"
        )))
    }
}
