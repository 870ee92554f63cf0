//! The id of an execution: any short text, such as a request's idempotency key.

use std::sync::Arc;

use uuid::Uuid;

/// Returns a new `UUIDv7` as text.
pub(crate) fn new() -> Arc<str> {
    let mut text = Uuid::encode_buffer();
    Arc::from(&*Uuid::now_v7().hyphenated().encode_lower(&mut text))
}

/// Returns a short text that no other call returns, to tell an execution from others of its id.
pub(crate) fn instance() -> Arc<str> {
    let (_, rest) = Uuid::now_v7().as_u64_pair();
    format!("{rest:016x}").into()
}

/// Checks that this text can be an id. The error says why it can't.
pub(crate) fn check(id: &str) -> Result<(), &'static str> {
    match id.len() {
        0 => Err("it is empty"),
        1..=255 if id.chars().any(char::is_control) => Err("it has a control character in it"),
        1..=255 => Ok(()),
        _ => Err("it is longer than 255 bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_a_good_one_and_no_two_are_the_same() {
        assert_eq!(check(&new()), Ok(()));
        assert_ne!(new(), new());
    }

    #[test]
    fn what_can_be_no_id_is_told_why() {
        assert_eq!(check("req-42"), Ok(()));
        assert_eq!(check(&"x".repeat(255)), Ok(()));
        assert!(check("").is_err() && check("a\nb").is_err() && check(&"x".repeat(256)).is_err());
        let text = r#"{"name":"f","id":""}"#;
        let error = crate::State::from_json(text).expect_err("a bad id");
        assert!(error.to_string().contains("it is empty"), "{error}");
    }
}
