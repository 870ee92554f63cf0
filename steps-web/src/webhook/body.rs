//! A change as JSON.

use jiff::Timestamp;
use serde::Serialize;
use steps::{Status, store::Change};

/// The most bytes of a body. Only a path of a step may be that long.
const MOST: usize = 64 * 1024;

/// As Standard Webhooks has it: a type, a time, and data.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    key: String,
    number: i64,
    execution: &'a str,
    flow: &'a str,
    from: Option<&'static str>,
    to: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    name: &'a str,
    path: &'a str,
    attempts: u32,
}

/// Returns the body of the request; the error says why there is none.
pub(super) fn of(change: &Change) -> Result<Vec<u8>, String> {
    let step = change.step.as_ref();
    let what = if step.is_some() { "step" } else { "execution" };
    let body = Body {
        kind: format!("{what}.{}", change.to),
        timestamp: change.at,
        data: Data {
            key: change.key(),
            number: change.number,
            execution: &change.execution,
            flow: &change.flow,
            from: change.from.map(Status::as_str),
            to: change.to.as_str(),
            error: change.error.as_deref(),
            step: step.map(|step| Step {
                name: &step.name,
                path: &step.path,
                attempts: step.attempts,
            }),
        },
    };
    let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
    if body.len() > MOST {
        let bytes = body.len();
        return Err(format!(
            "its body has {bytes} bytes, and the limit is {MOST}"
        ));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use steps::store::ChangedStep;

    use super::*;

    #[test]
    fn a_change_is_a_type_a_time_and_data() {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut change = Change::new(7, "req-42", "order", None, Status::Running, at);
        let text = |change: &Change| String::from_utf8(of(change).unwrap()).unwrap();
        assert_eq!(
            text(&change),
            r#"{"type":"execution.running","timestamp":"2026-01-01T00:00:00Z","data":{"key":"7-18867251edfa0000","number":7,"execution":"req-42","flow":"order","from":null,"to":"running"}}"#
        );
        change.step = Some(ChangedStep::new("pay".to_owned(), "all.pay".to_owned(), 2));
        change.from = Some(Status::Running);
        change.to = Status::Failed;
        change.error = Some("no \"card\"".to_owned());
        assert_eq!(
            text(&change),
            r#"{"type":"step.failed","timestamp":"2026-01-01T00:00:00Z","data":{"key":"7-18867251edfa0000","number":7,"execution":"req-42","flow":"order","from":"running","to":"failed","error":"no \"card\"","step":{"name":"pay","path":"all.pay","attempts":2}}}"#
        );
        change.step = Some(ChangedStep::new("pay".to_owned(), "x".repeat(MOST), 2));
        assert!(of(&change).unwrap_err().contains("the limit is 65536"));
    }
}
