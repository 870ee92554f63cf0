//! A document as plain text: tables in columns, two spaces apart.

use std::fmt::{self, Write as _};

use super::{Block, Column, Document, one_line};

pub(in crate::model::report) fn write(
    document: &Document,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str(&one_line(&document.title))?;
    let mut after_heading = false;
    for block in &document.blocks {
        f.write_str(if after_heading { "\n" } else { "\n\n" })?;
        after_heading = false;
        match block {
            Block::Heading(text) => {
                f.write_str(text)?;
                after_heading = true;
            }
            Block::Paragraph(text) => f.write_str(&one_line(text))?,
            Block::Lines(lines) => indented(lines, f)?,
            Block::Table { columns, rows } => table(columns, rows, f)?,
            Block::List(list) => {
                for (i, text) in list.iter().enumerate() {
                    let end = if i == 0 { "" } else { "\n" };
                    write!(f, "{end}  - {}", one_line(text))?;
                }
            }
        }
    }
    Ok(())
}

fn indented(lines: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, line) in lines.lines().enumerate() {
        write!(f, "{}  {line}", if i == 0 { "" } else { "\n" })?;
    }
    Ok(())
}

fn table(columns: &[Column], rows: &[Vec<String>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let heads: Vec<String> = columns.iter().map(|c| c.head().to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heads)
        .chain(
            rows.iter()
                .map(|row| row.iter().map(|cell| one_line(cell)).collect()),
        )
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for (i, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(columns) {
            line.push_str("  ");
            if column.is_number() {
                write!(line, "{cell:>width$}")?;
            } else {
                write!(line, "{cell:<width$}")?;
            }
        }
        write!(f, "{}{}", if i == 0 { "" } else { "\n" }, line.trim_end())?;
    }
    Ok(())
}
