//! Saved values as text: with line breaks for people, and without what is hidden. Numbers stay as they
//! are written, however long.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use steps::store::codec::is_encoded;

use crate::{
    encoded::ENCODED_JSON,
    secrets::{HIDDEN, Secrets},
};

/// How deep a value is looked into. What is deeper is hidden.
const DEEP: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// In one line.
    Short,
    /// With a line for each member.
    Long,
}

/// Writes JSON without what is hidden.
pub(crate) fn write(json: &str, how: Written, secrets: &Secrets) -> String {
    let mut writer = Writer {
        out: String::with_capacity(json.len()),
        how,
        secrets,
        depth: 0,
    };
    writer.value(json.trim());
    writer.out
}

struct Writer<'a> {
    out: String,
    how: Written,
    secrets: &'a Secrets,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, json: &str) {
        if self.depth > DEEP {
            self.out.push_str(HIDDEN);
            return;
        }
        let done = match json.as_bytes().first() {
            Some(b'{') => self.object(json),
            Some(b'[') => self.array(json),
            Some(b'"') if is_encoded(json) => {
                self.out.push_str(ENCODED_JSON);
                Some(())
            }
            _ => {
                self.out.push_str(json);
                Some(())
            }
        };
        if done.is_none() {
            self.out.push_str(HIDDEN);
        }
    }

    fn object(&mut self, json: &str) -> Option<()> {
        let Members(members) = serde_json::from_str(json).ok()?;
        self.open('{');
        let last = members.len();
        for (index, (name, value)) in members.into_iter().enumerate() {
            self.line();
            self.out.push_str(&serde_json::to_string(&name).ok()?);
            self.out.push(':');
            if self.how == Written::Long {
                self.out.push(' ');
            }
            if self.secrets.hides(&name) {
                self.out.push_str(HIDDEN);
            } else {
                self.value(value.get());
            }
            if index + 1 < last {
                self.out.push(',');
            }
        }
        self.close('}', last);
        Some(())
    }

    fn array(&mut self, json: &str) -> Option<()> {
        let all: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        self.open('[');
        let last = all.len();
        for (index, value) in all.into_iter().enumerate() {
            self.line();
            self.value(value.get());
            if index + 1 < last {
                self.out.push(',');
            }
        }
        self.close(']', last);
        Some(())
    }

    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
    }

    fn close(&mut self, bracket: char, members: usize) {
        self.depth -= 1;
        if members > 0 {
            self.line();
        }
        self.out.push(bracket);
    }

    fn line(&mut self) {
        if self.how == Written::Long {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }
}

/// The members of an object, in their order, also those whose name comes twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_a_line_for_each_member_and_its_numbers_stay() {
        let json = r#"{"a":[1.50,123456789012345678901234567890],"b":{},"c":[],"a":"x\u00e9<"}"#;
        let long = write(json, Written::Long, &Secrets::default());
        assert_eq!(
            long,
            "{\n  \"a\": [\n    1.50,\n    123456789012345678901234567890\n  ],\n  \"b\": {},\n  \
             \"c\": [],\n  \"a\": \"x\\u00e9<\"\n}"
        );
        assert_eq!(write(json, Written::Short, &Secrets::default()), json);
    }

    #[test]
    fn what_is_very_deep_is_hidden() {
        let json = format!("{}1{}", "[".repeat(120), "]".repeat(120));
        let written = write(&json, Written::Short, &Secrets::default());
        assert!(written.contains("(hidden)"), "{written}");
    }
}
