//! Queries that look into values: a store can't look into encoded ones.

use super::{Codec, Payload};
use crate::store::{Column, Condition, ErrorKind, ExecutionQuery, Field, StoreError, Test, Value};

/// Checks that a store can answer a query about what is encoded in it.
///
/// # Errors
///
/// [`ErrorKind::Rejected`] names the field.
pub(super) fn check(codec: &dyn Codec, query: &ExecutionQuery) -> Result<(), StoreError> {
    for condition in &query.conditions {
        if let Some(payload) = looks_into(condition).filter(|payload| codec.encodes(*payload)) {
            return Err(rejected(&told(&condition.field), payload));
        }
    }
    for sort in &query.sort {
        if let Some(payload) = payload(sort.column).filter(|payload| codec.encodes(*payload)) {
            return Err(rejected(sort.column.as_str(), payload));
        }
    }
    Ok(())
}

/// Returns which values a condition looks at.
fn looks_into(condition: &Condition) -> Option<Payload> {
    match &condition.field {
        Field::Column(column) => payload(*column),
        // The names are plain, and so is whether there is a value.
        Field::Attr(_) => match &condition.test {
            Test::AnyOf(values) if values.iter().all(|value| *value == Value::Null) => None,
            _ => Some(Payload::Attr),
        },
        Field::Label(_) => None,
    }
}

fn payload(column: Column) -> Option<Payload> {
    match column {
        Column::StatusMessage => Some(Payload::Note),
        Column::Error => Some(Payload::Error),
        Column::Id
        | Column::Flow
        | Column::Status
        | Column::Trigger
        | Column::Worker
        | Column::Priority
        | Column::Created
        | Column::Started
        | Column::Updated
        | Column::Ended => None,
    }
}

fn told(field: &Field) -> String {
    match field {
        Field::Column(column) => column.as_str().to_owned(),
        Field::Label(name) => format!("label.{name}"),
        Field::Attr(path) => format!("attrs.{path}"),
    }
}

fn rejected(field: &str, payload: Payload) -> StoreError {
    let payload = payload.as_str();
    let message = format!(
        "nothing can be found by `{field}`: values of the kind `{payload}` are encoded in this store. \
         Find by labels, which are plain, or leave `{payload}` out of what the codec encodes"
    );
    StoreError::new(ErrorKind::Rejected, message)
}
