//! A document of headings, paragraphs, tables and preformatted text, and its forms: text, Markdown and
//! HTML. What is in it, is left to the reports; what is escaped, to the forms, so that no report can
//! forget it.

pub(super) mod html;
pub(super) mod markdown;
pub(super) mod text;

use std::fmt;

use crate::model::state::draw::line;

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Heading(&'static str),
    Paragraph(String),
    /// Lines that are shown as they are.
    Lines(String),
    /// Columns, and rows of as many cells. Columns of numbers are at the right.
    Table {
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    },
    List(Vec<String>),
}

/// The head of a column, and whether it has numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Text(head) | Self::Number(head) => head,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

impl Document {
    pub(crate) fn new(title: String) -> Self {
        Self {
            title,
            blocks: Vec::new(),
        }
    }

    /// Adds a part with a heading, if there are rows.
    pub(crate) fn table(
        &mut self,
        heading: &'static str,
        columns: &[Column],
        rows: Vec<Vec<String>>,
    ) {
        if rows.is_empty() {
            return;
        }
        self.blocks.push(Block::Heading(heading));
        self.blocks.push(Block::Table {
            columns: columns.to_vec(),
            rows,
        });
    }

    /// Adds a list with a heading, if there is something in it.
    pub(crate) fn list(&mut self, heading: &'static str, list: Vec<String>) {
        if !list.is_empty() {
            self.blocks.push(Block::Heading(heading));
            self.blocks.push(Block::List(list));
        }
    }

    pub(crate) fn paragraph(&mut self, text: String) {
        self.blocks.push(Block::Paragraph(text));
    }
}

/// Text on one line, of limited length, without control characters and without those that turn the
/// direction of what follows them.
pub(crate) fn one_line(text: &str) -> String {
    struct Line<'a>(&'a str);
    impl fmt::Display for Line<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            line(self.0, f)
        }
    }
    let turns = |c| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    Line(text).to_string().replace(turns, " ")
}

#[cfg(test)]
mod tests;
