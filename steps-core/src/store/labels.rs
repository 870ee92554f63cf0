//! Which values of a label executions have.

/// Which values of a label to list: those that at least so many executions have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelQuery {
    /// The name of the label.
    pub name: String,
    /// How many executions have the value, at least. 0 is as 1.
    pub at_least: u64,
    /// The next page: the values after this one, whether or not it is still there.
    pub after: Option<String>,
    /// The maximum number of values; `None` is no limit.
    pub limit: Option<usize>,
}

impl LabelQuery {
    /// All values of a label.
    pub fn of(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            at_least: 1,
            after: None,
            limit: None,
        }
    }
}
