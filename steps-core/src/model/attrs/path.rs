//! The path of an attribute: its text, and what stands there in a JSON text.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::value::RawValue;

/// The path of an attribute, from the outermost object: `image."a.b".0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttrPath(Vec<String>);

impl AttrPath {
    /// Makes a path of its parts: the names of fields, and the places of items.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// Returns its parts, the outermost first.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the JSON text that stands at the path, if there is any.
    pub fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        let mut at = json;
        for part in &self.0 {
            let text = at.trim_ascii();
            at = match text.as_bytes().first()? {
                b'{' => {
                    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
                    fields.get(part)?.get()
                }
                b'[' => {
                    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                    items.get(part.parse::<usize>().ok()?)?.get()
                }
                _ => return None,
            };
        }
        Some(at.trim_ascii())
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

/// Writes a text in quotes, in which `\` stands before a quote and before itself.
pub(crate) fn write_quoted(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    write!(f, "\"{escaped}\"")
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if !part.is_empty() && part.chars().all(is_plain) {
                f.write_str(part)?;
            } else {
                write_quoted(f, part)?;
            }
        }
        Ok(())
    }
}

impl FromStr for AttrPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` is no path of an attribute: {why}"));
        let mut parts = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            let mut part = String::new();
            if rest.next_if_eq(&'"').is_some() {
                loop {
                    match rest.next() {
                        None => return wrong("a quote is not closed"),
                        Some('"') => break,
                        Some('\\') => match rest.next() {
                            Some(escaped @ ('"' | '\\')) => part.push(escaped),
                            _ => return wrong("after `\\` comes `\"` or `\\`"),
                        },
                        Some(letter) => part.push(letter),
                    }
                }
            } else {
                while let Some(letter) = rest.next_if(|letter| is_plain(*letter)) {
                    part.push(letter);
                }
                if part.is_empty() {
                    return match rest.peek() {
                        None | Some('.') => wrong("a part of it is empty"),
                        Some(_) => wrong("a name with other characters stands in quotes"),
                    };
                }
            }
            parts.push(part);
            match rest.next() {
                None => return Ok(Self(parts)),
                Some('.') => {}
                Some(_) => return wrong("parts are separated by dots, and others stand in quotes"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_finds_what_stands_there() {
        let json = r#"{"a":{"b.c":[10, {"d" : "x"} ]},"":1,"ä":2}"#;
        for (path, found) in [
            ("a.\"b.c\".0", Some("10")),
            ("a.\"b.c\".1.d", Some("\"x\"")),
            ("a.\"b.c\".2", None),
            ("a.\"b.c\".x", None),
            ("\"\"", Some("1")),
            ("ä", Some("2")),
            ("a.b", None),
            ("ä.b", None),
        ] {
            let path: AttrPath = path.parse().unwrap();
            assert_eq!(path.find(json), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_told_why() {
        for text in [
            "", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\\n\"", "a b", "a\"b\"",
        ] {
            assert!(text.parse::<AttrPath>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_path_is_its_text(parts in prop::collection::vec("[a.\"\\\\ é0]{0,4}", 1..4)) {
            let path = AttrPath::new(parts);
            prop_assert_eq!(path.to_string().parse::<AttrPath>(), Ok(path));
        }
    }
}
