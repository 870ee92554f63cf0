//! A document as one HTML page. All text is escaped; the style is in the page, and there is nothing else.

use std::fmt;

use super::{Block, Column, Document, one_line};

/// No script, and nothing from anywhere else, even if the escaping had a fault.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = ":root{color-scheme:light dark;--line:#8884}\
    body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;\
    background:light-dark(#fff,#16181c);color:light-dark(#1b1d21,#e4e6ea)}\
    h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
    pre{overflow-x:auto;padding:.75rem 1rem;border:1px solid var(--line);border-radius:6px;\
    font:13px/1.45 ui-monospace,monospace}\
    .wide{overflow-x:auto}table{border-collapse:collapse}\
    th,td{padding:.25rem .75rem;border-bottom:1px solid var(--line);text-align:left;\
    vertical-align:top;overflow-wrap:anywhere}\
    .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}";

pub(in crate::model::report) fn write(
    document: &Document,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let title = Escaped(&document.title);
    write!(
        f,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )?;
    for block in &document.blocks {
        match block {
            Block::Heading(text) => writeln!(f, "<h2>{}</h2>", Escaped(text))?,
            Block::Paragraph(text) => writeln!(f, "<p>{}</p>", Escaped(text))?,
            Block::Lines(lines) => {
                f.write_str("<pre>")?;
                for line in lines.lines() {
                    writeln!(f, "{}", Plain(line))?;
                }
                f.write_str("</pre>\n")?;
            }
            Block::Table { columns, rows } => table(columns, rows, f)?,
            Block::List(list) => {
                f.write_str("<ul>\n")?;
                for text in list {
                    writeln!(f, "<li>{}</li>", Escaped(text))?;
                }
                f.write_str("</ul>\n")?;
            }
        }
    }
    f.write_str("</body>\n</html>\n")
}

fn table(columns: &[Column], rows: &[Vec<String>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let class = |column: &Column| {
        if column.is_number() {
            " class=\"n\""
        } else {
            ""
        }
    };
    f.write_str("<div class=\"wide\"><table>\n<thead><tr>")?;
    for column in columns {
        write!(
            f,
            "<th scope=\"col\"{}>{}</th>",
            class(column),
            Escaped(column.head())
        )?;
    }
    f.write_str("</tr></thead>\n<tbody>\n")?;
    for row in rows {
        f.write_str("<tr>")?;
        for (cell, column) in row.iter().zip(columns) {
            write!(f, "<td{}>{}</td>", class(column), Escaped(cell))?;
        }
        f.write_str("</tr>\n")?;
    }
    f.write_str("</tbody>\n</table></div>\n")
}

/// Text on one line, escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Plain(&one_line(self.0)))
    }
}

/// Text as it is, escaped.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let (text, last) =
                part.split_at(part.len() - usize::from(!part.is_empty() && ends(part)));
            f.write_str(text)?;
            f.write_str(match last {
                "&" => "&amp;",
                "<" => "&lt;",
                ">" => "&gt;",
                "\"" => "&quot;",
                "'" => "&#39;",
                other => other,
            })?;
        }
        Ok(())
    }
}

fn ends(part: &str) -> bool {
    part.ends_with(['&', '<', '>', '"', '\''])
}
