//! A document as Markdown. All text is escaped, so that it shows as it is.

use std::fmt;

use super::{Block, Column, Document, one_line};

pub(in crate::model::report) fn write(
    document: &Document,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "# {}", escaped(&document.title))?;
    for block in &document.blocks {
        f.write_str("\n\n")?;
        match block {
            Block::Heading(text) => write!(f, "## {}", escaped(text))?,
            Block::Paragraph(text) => f.write_str(&escaped(text))?,
            Block::Lines(lines) => {
                let fence = fence(lines);
                write!(f, "{fence}text\n{lines}\n{fence}")?;
            }
            Block::Table { columns, rows } => table(columns, rows, f)?,
            Block::List(list) => {
                for (i, text) in list.iter().enumerate() {
                    write!(f, "{}* {}", if i == 0 { "" } else { "\n" }, escaped(text))?;
                }
            }
        }
    }
    f.write_str("\n")
}

fn table(columns: &[Column], rows: &[Vec<String>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for column in columns {
        write!(f, "| {} ", escaped(column.head()))?;
    }
    f.write_str("|\n")?;
    for column in columns {
        f.write_str(if column.is_number() {
            "| ---: "
        } else {
            "| --- "
        })?;
    }
    f.write_str("|")?;
    for row in rows {
        f.write_str("\n")?;
        for cell in row {
            write!(f, "| {} ", escaped(cell))?;
        }
        f.write_str("|")?;
    }
    Ok(())
}

/// A fence that the lines do not close: longer than any row of backticks in them.
fn fence(lines: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in lines.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest.max(2) + 1)
}

/// Text on one line in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    let text = one_line(text);
    let mut escaped = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '#' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // A list, a line under a heading, or a link that is found in the text.
            '-' | '+' | '=' if i == 0 => {
                escaped.push('\\');
                escaped.push(c);
            }
            ':' if text[i..].starts_with("://") => escaped.push_str("&#58;"),
            '@' => escaped.push_str("&#64;"),
            c => escaped.push(c),
        }
    }
    if escaped.to_ascii_lowercase().contains("www.") {
        escaped = escaped.replace('.', "&#46;");
    }
    escaped
}
