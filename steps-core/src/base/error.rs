//! The errors of a step, and of the journal.

use std::{any::Any, error::Error, fmt, sync::Arc, time::Duration};

/// Any error from the user's code.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why one attempt of a step or a handler ended without a value.
#[derive(Debug)]
pub struct StepError {
    pub(crate) error: Arc<BoxError>,
    /// Whether the step's policy may try again.
    pub(crate) retry: bool,
    /// Of an undo that goes on elsewhere, which is no error: when to ask again at the latest.
    pub(crate) later: Option<Duration>,
}

impl StepError {
    /// An error of the user's function. The step's policy may retry it.
    pub fn user(error: impl Into<BoxError>) -> Self {
        Self {
            error: Arc::new(error.into()),
            retry: true,
            later: None,
        }
    }

    /// An error that a retry can't fix.
    pub fn fatal(error: impl Into<BoxError>) -> Self {
        Self {
            error: Arc::new(error.into()),
            retry: false,
            later: None,
        }
    }

    /// An undo goes on elsewhere: it is asked again when there is news, and after this pause at the
    /// latest.
    pub(crate) fn later(pause: Duration) -> Self {
        Self {
            later: Some(pause),
            ..Self::fatal("it is not undone yet")
        }
    }

    /// Returns whether this is an `E`.
    pub(crate) fn is<E: Error + 'static>(&self) -> bool {
        self.error.is::<E>()
    }

    /// The error of a value that is larger than a limit, both in bytes of JSON.
    pub(crate) fn too_large(what: &str, bytes: usize, most: usize) -> Self {
        Self::fatal(format!(
            "its {what} is {bytes} bytes of JSON, and the limit is {most}: save it elsewhere, and \
             only where it is here"
        ))
    }

    /// Returns the same error, which is retried only if `retry` is true.
    #[must_use]
    pub fn retry_if(mut self, retry: bool) -> Self {
        self.retry = retry;
        self
    }

    /// Returns the same error, with a further problem added to its text.
    pub(crate) fn and(&self, more: &str) -> Self {
        Self {
            error: Arc::new(format!("{} ({more})", self.text()).into()),
            retry: self.retry,
            later: self.later,
        }
    }

    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::user(format!("panicked: {}", text.unwrap_or("with no message")))
    }

    /// Returns the error's text with its sources, as recorded: a long one is cut.
    pub fn text(&self) -> String {
        within(full_text(self.error.as_ref().as_ref()))
    }
}

/// The maximum number of bytes of a recorded error text.
pub(crate) const MAX_TEXT: usize = 8 * 1024;

/// Cuts a text that is longer than [`MAX_TEXT`]: returns its beginning and its end, and how much is
/// missing between them. The end of an error often tells its cause.
pub(crate) fn within(text: String) -> String {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = MAX_TEXT / 4;
    // Room for the note, however large its number is.
    let beginning = text.floor_char_boundary(MAX_TEXT - end - 64);
    let end = text.ceil_char_boundary(text.len() - end);
    let cut = end - beginning;
    format!(
        "{}… [{cut} bytes cut out] …{}",
        &text[..beginning],
        &text[end..]
    )
}

/// Calls a `Serialize` or `Deserialize` implementation of the user's, and turns a panic into an
/// error.
pub(crate) fn caught<T>(
    call: impl FnOnce() -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    use serde::de::Error as _;
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let error = StepError::panic(payload.as_ref());
        Err(serde_json::Error::custom(error.text()))
    })
}

/// Returns the error and all its sources in one line. Omits a source whose text the error already
/// contains.
pub(crate) fn full_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = next.source();
    }
    text
}

/// The journal did not accept a record. The run stops where it is, and this is not recorded as the
/// failure of a step.
#[derive(Clone, Debug)]
pub struct JournalError(Arc<BoxError>);

impl JournalError {
    /// Wraps the store's own error.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal did not take a record: {}", self.0)
    }
}

impl Error for JournalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_says_where_it_was_cut() {
        let exact = "é".repeat(MAX_TEXT / 2);
        assert_eq!(within(exact.clone()), exact);
        let text = within(format!("could not read: {exact}: no such file"));
        assert!(text.len() <= MAX_TEXT, "{}", text.len());
        assert!(text.starts_with("could not read: éé") && text.ends_with("éé: no such file"));
        let note = text
            .trim_start_matches("could not read: ")
            .trim_start_matches('é');
        assert!(note.starts_with("… [94 bytes cut out] …é"), "{note}");
    }

    #[test]
    fn each_recorded_text_is_bounded() {
        let long = StepError::user("x".repeat(1 << 20));
        assert!(long.text().len() <= MAX_TEXT);
        assert!(long.and(&long.text()).text().len() <= MAX_TEXT);
        assert!(StepError::panic(&"x".repeat(1 << 20)).text().len() <= MAX_TEXT);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_is_cut_out_twice_or_within_a_character(text in "[a\u{e9}\u{10348}]{0,50}", n in 1..2000_usize) {
            let text = text.repeat(n);
            let cut = within(text.clone());
            prop_assert!(cut.len() <= MAX_TEXT);
            if text.len() <= MAX_TEXT {
                prop_assert_eq!(&cut, &text);
            } else {
                let (beginning, rest) = cut.split_once("… [").unwrap();
                let (bytes, end) = rest.split_once(" bytes cut out] …").unwrap();
                let bytes: usize = bytes.parse().unwrap();
                prop_assert_eq!(beginning.len() + bytes + end.len(), text.len());
                prop_assert!(text.starts_with(beginning) && text.ends_with(end));
            }
            prop_assert_eq!(within(cut.clone()), cut);
        }
    }
}
