use super::*;
use crate::model::report::{Html, Markdown, Text};

/// A document in which each text would be something else in Markdown or HTML.
fn hostile() -> Document {
    let text = "<script>alert('a&b')</script> | `x` **y** [z](javascript:1) \u{202e}\u{7}\nhttps://e.com @me _i_ \"q\"";
    let mut document = Document::new(text.to_owned());
    document.paragraph(format!("- {text}"));
    document
        .blocks
        .push(Block::Lines(format!("``` </pre>\n{}", one_line(text))));
    document.table(
        "Table",
        &[Column::Text("a"), Column::Number("b")],
        vec![vec![text.to_owned(), "www.e.com".to_owned()]],
    );
    document.list("List", vec![text.to_owned()]);
    document
}

#[test]
fn html_shows_all_text_as_it_is() {
    let html = Html(hostile()).to_string();
    let body = &html[html.find("<title>").unwrap()..];
    assert!(!body.contains("<script"), "{body}");
    assert!(!body.contains("</pre></pre>"), "{body}");
    assert!(!body.contains('\u{202e}'), "{body}");
    assert!(body.contains("&lt;script&gt;alert(&#39;a&amp;b&#39;)&lt;/script&gt;"));
    assert!(body.contains("&quot;q&quot;"));
    assert_eq!(body.matches("</pre>").count(), 1);
    assert_eq!(body.matches("</td>").count(), 2);
    // No script can run, and nothing is asked for from anywhere.
    assert!(html.contains("default-src 'none'"));
    for other in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!html.contains(other), "{other}");
    }
}

#[test]
fn markdown_shows_all_text_as_it_is() {
    let text = Markdown(hostile()).to_string();
    let (before, rest) = text.split_once("````text\n").unwrap();
    let (_, after) = rest.split_once("\n````").unwrap();
    let outside = format!("{before}{after}");
    assert!(!outside.contains('<'), "{outside}");
    assert!(!outside.contains("://"), "{outside}");
    assert!(!outside.contains("www."), "{outside}");
    for escaped in [
        r"\[z\](javascript:1)",
        r"\`x\`",
        r"\*\*y\*\*",
        r"\_i\_",
        "&#64;me",
    ] {
        assert!(outside.contains(escaped), "{escaped} in {outside}");
    }
    assert!(outside.contains("\n\n\\- &lt;script&gt;"), "{outside}");
    // A row stays one row of two cells.
    let row = outside
        .lines()
        .find(|line| line.starts_with("| &lt;"))
        .unwrap();
    assert_eq!(row.replace("\\|", "").matches('|').count(), 3);
}

#[test]
fn text_is_in_columns_and_on_its_line() {
    let mut document = Document::new("a\nb".to_owned());
    document.table(
        "Table",
        &[Column::Text("name"), Column::Number("count")],
        vec![
            vec!["é".to_owned(), "1".to_owned()],
            vec!["long name".to_owned(), "1000000".to_owned()],
        ],
    );
    assert_eq!(
        Text(document).to_string(),
        "a b\n\nTable\n  name         count\n  é                1\n  long name  1000000"
    );
}
