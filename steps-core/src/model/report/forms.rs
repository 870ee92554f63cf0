//! The forms in which a report is displayed.

use std::fmt;

use super::document::{Document, html, markdown, text};

/// A [report](crate::report) as text for a terminal or a log.
#[derive(Clone, Debug)]
#[must_use]
pub struct Text(pub(crate) Document);

/// A [report](crate::report) as Markdown, with the tables of GitHub's. Names and errors are escaped.
#[derive(Clone, Debug)]
#[must_use]
pub struct Markdown(pub(crate) Document);

/// A [report](crate::report) as one HTML page, light or dark as the reader prefers, without scripts and without
/// requests to anywhere. Names and errors are escaped.
#[derive(Clone, Debug)]
#[must_use]
pub struct Html(pub(crate) Document);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(&self.0, f)
    }
}

impl fmt::Display for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        markdown::write(&self.0, f)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        html::write(&self.0, f)
    }
}
