//! A check of a whole store on demand: whether all that it keeps can be read, and each tree is whole.

use super::{ExecutionQuery, Store, StoreError, StoredExecution};

/// What a [check](Store::check) has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many executions were read.
    pub executions: u64,
    /// What is damaged; the first [`MOST`](Self::MOST) of it.
    pub damages: Vec<Damage>,
    /// How much more is damaged.
    pub more: u64,
}

/// Something in a store that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The execution's id, where it is known which one it is.
    pub execution: Option<String>,
    /// What is wrong.
    pub why: String,
}

impl CheckReport {
    /// The most damages that are told one by one.
    pub const MOST: usize = 100;

    /// Returns whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty()
    }

    /// Adds a damage. For stores.
    pub fn damaged(&mut self, execution: Option<String>, why: impl ToString) {
        if self.damages.len() < Self::MOST {
            let why = why.to_string();
            self.damages.push(Damage { execution, why });
        } else {
            self.more += 1;
        }
    }

    /// Counts an execution that was read, and checks that its tree is whole. For stores.
    pub fn read(&mut self, saved: StoredExecution) {
        self.executions += 1;
        let id = saved.info.id.clone();
        if let Err(error) = saved.into_state() {
            self.damaged(Some(id), error);
        }
    }
}

/// How many executions are looked for at once.
const PAGE: usize = 100;

/// Checks a store by loading each execution.
pub(super) async fn by_loading<S: Store + ?Sized>(store: &S) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport::default();
    let mut query = ExecutionQuery {
        limit: Some(PAGE),
        brief: true,
        ..ExecutionQuery::default()
    };
    loop {
        let page = store.list(query.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(report);
        };
        query.after = Some(last.cursor());
        for info in page {
            match store.load(info.id.clone()).await {
                Ok(Some(saved)) => report.read(saved),
                // It was deleted meanwhile.
                Ok(None) => {}
                Err(error) if error.kind() == super::ErrorKind::Corrupt => {
                    report.executions += 1;
                    report.damaged(Some(info.id), error);
                }
                Err(error) => return Err(error),
            }
        }
    }
}
