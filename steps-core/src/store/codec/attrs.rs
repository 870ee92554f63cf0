//! The values in an execution's attributes: each that is no object and not `null` passes by itself, and
//! everything around it stays as it is written. So a store can patch what it can't read.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::model::state::path;

/// From this level on, an object is one value: a patch replaces it as one, too.
const DEPTH: usize = 100;

/// What becomes of the value at a path; `None` leaves it.
type Change<'a, E> = dyn FnMut(&str, &str) -> Result<Option<String>, E> + 'a;

/// Returns the text of an object with its values changed; `None` if none is.
pub(super) fn each_value<E>(text: &str, change: &mut Change<'_, E>) -> Result<Option<String>, E> {
    let mut changed = Changed {
        text,
        copied: 0,
        to: String::new(),
    };
    changed.object(text, "", 0, change)?;
    if changed.copied == 0 {
        return Ok(None);
    }
    changed.to.push_str(&text[changed.copied..]);
    Ok(Some(changed.to))
}

struct Changed<'a> {
    text: &'a str,
    /// How much of the text is in `to`.
    copied: usize,
    to: String,
}

impl<'a> Changed<'a> {
    fn object<E>(
        &mut self,
        text: &'a str,
        above: &str,
        depth: usize,
        change: &mut Change<'_, E>,
    ) -> Result<(), E> {
        // What is no object has no fields here.
        let fields: Fields<'a> = serde_json::from_str(text).unwrap_or_default();
        for (name, value) in fields.0 {
            let value = value.get();
            let mut at = above.to_owned();
            path::push(&mut at, &name);
            if value.starts_with('{') && depth < DEPTH {
                self.object(value, &at, depth + 1, change)?;
            } else if value != "null"
                && let Some(new) = change(&at, value)?
            {
                // A part of the text, borrowed from it.
                let begins = value.as_ptr().addr() - self.text.as_ptr().addr();
                self.to.push_str(&self.text[self.copied..begins]);
                self.to.push_str(&new);
                self.copied = begins + value.len();
            }
        }
        Ok(())
    }
}

/// All fields of an object, in their order.
#[derive(Default)]
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_values_change() {
        let text = r#" { "a" : 1, "b": {"c.d": [1, {"x": 2}], "n" : null, "e": {}}, "a":"x" }"#;
        let mut seen = Vec::new();
        let changed = each_value(text, &mut |path, value| {
            seen.push((path.to_owned(), value.to_owned()));
            Ok::<_, ()>((path != "a" || value == "1").then(|| format!("<{value}>")))
        });
        assert_eq!(
            changed.unwrap().unwrap(),
            r#" { "a" : <1>, "b": {"c.d": <[1, {"x": 2}]>, "n" : null, "e": {}}, "a":"x" }"#
        );
        let paths: Vec<_> = seen.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", r"b.c\.d", "a"]);
        assert_eq!(each_value("{}", &mut |_, _| Err(())), Ok(None));
    }

    #[test]
    fn what_is_too_deep_is_one_value() {
        let text = format!("{}1{}", "{\"a\":".repeat(150), "}".repeat(150));
        let mut count = 0;
        let changed = each_value(&text, &mut |_, value| {
            count += 1;
            Ok::<_, ()>(Some(value.to_owned()))
        });
        // `serde_json` reads no deeper than 128 levels, and RFC 8259 allows that.
        assert_eq!((changed, count), (Ok(Some(text)), 1));
    }
}
