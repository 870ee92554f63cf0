//! Values as a type saves them, made from its JSON schema. A later version is asked whether it reads
//! them, so the answer is the one that a resume gives, with every attribute of serde.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::model::table::{Check, SchemaOf};

/// How many examples there are of one type.
const MOST: usize = 40;

/// How deep they are.
const DEPTH: usize = 8;

/// Returns examples of a type that has a schema, such as its own program reads: a schema may say less of a
/// type than its decoder wants.
pub(super) fn of(schema: Option<SchemaOf>, check: Check) -> Vec<Value> {
    let schema = schema.and_then(|schema| serde_json::from_str::<Value>(&schema()).ok());
    let Some(schema) = schema.filter(|schema| !is_plain(schema)) else {
        return Vec::new();
    };
    let mut examples = Schemas { root: &schema }.of(&schema, DEPTH);
    examples.retain(|example| check(&example.to_string()).is_ok());
    examples
}

/// Whether a schema has no parts, as that of a number or a text: its name says all.
fn is_plain(schema: &Value) -> bool {
    const PARTS: [&str; 9] = [
        "properties",
        "additionalProperties",
        "items",
        "prefixItems",
        "oneOf",
        "anyOf",
        "allOf",
        "enum",
        "$ref",
    ];
    !PARTS.iter().any(|part| schema.get(part).is_some())
}

/// Returns why a type does not read one of these values, with the value, if it does not.
pub(super) fn unread(examples: &[Value], check: Check) -> Option<String> {
    examples.iter().find_map(|example| {
        let why = check(&example.to_string()).err()?;
        Some(format!("`{example}` was saved, and can't be read: {why}"))
    })
}

/// Returns the fields that some of these values have, and none of the others.
pub(super) fn gone(was: &[Value], is: &[Value]) -> Vec<String> {
    if was.is_empty() || is.is_empty() {
        return Vec::new();
    }
    let all = |examples: &[Value]| {
        let mut found = BTreeSet::new();
        for example in examples {
            fields(example, "", &mut found);
        }
        found
    };
    let (was, is) = (all(was), all(is));
    let gone: Vec<&String> = was.difference(&is).collect();
    let is_below = |field: &str| {
        let above = |other: &&String| field.starts_with(&format!("{other}."));
        gone.iter().copied().any(|other| above(&other))
    };
    let first = gone.iter().filter(|field| !is_below(field));
    first.map(ToString::to_string).collect()
}

fn fields(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let dot = if above.is_empty() { "" } else { "." };
                let path = format!("{above}{dot}{name}");
                fields(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, above, found)),
        _ => {}
    }
}

struct Schemas<'a> {
    /// What references refer into.
    root: &'a Value,
}

impl Schemas<'_> {
    /// Returns examples of what a schema allows, the plainest first. There are none of what is too deep.
    fn of(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        let Some(keys) = schema.as_object() else {
            // `true` allows whatever there is.
            return vec![json!(null)];
        };
        if let Some(path) = keys.get("$ref").and_then(Value::as_str) {
            let found = path.strip_prefix('#').and_then(|at| self.root.pointer(at));
            return found.map_or(Vec::new(), |found| self.of(found, depth));
        }
        if let Some(value) = keys.get("const") {
            return vec![value.clone()];
        }
        if let Some(Value::Array(values)) = keys.get("enum") {
            return first(values.iter().cloned());
        }
        for several in ["oneOf", "anyOf"] {
            if let Some(Value::Array(variants)) = keys.get(several) {
                let variants = variants.iter().map(|variant| self.of(variant, depth));
                let variants = each_in_turn(variants.collect());
                return self.with_own(keys, variants, depth);
            }
        }
        if let Some(Value::Array(all)) = keys.get("allOf") {
            let parts = all.iter().map(|part| self.of(part, depth));
            let merged = parts.reduce(|one, other| merged(&one, &other));
            return self.with_own(keys, merged.unwrap_or_default(), depth);
        }
        self.plain(keys, depth)
    }

    /// Adds the properties beside the variants, which is how a flattened or tagged type is described.
    fn with_own(
        &self,
        keys: &Map<String, Value>,
        variants: Vec<Value>,
        depth: usize,
    ) -> Vec<Value> {
        if keys.contains_key("properties") {
            merged(&self.object(keys, depth), &variants)
        } else {
            variants
        }
    }

    fn plain(&self, keys: &Map<String, Value>, depth: usize) -> Vec<Value> {
        let types: Vec<&str> = match keys.get("type") {
            Some(Value::String(ty)) => vec![ty],
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            _ if keys.contains_key("properties") => vec!["object"],
            _ => vec!["null"],
        };
        let types = types.into_iter().map(|ty| match ty {
            "boolean" => vec![json!(false), json!(true)],
            "integer" => integers(keys),
            "number" => vec![json!(0.5)],
            "string" => vec![json!(text(keys))],
            "array" => self.array(keys, depth),
            "object" => self.object(keys, depth),
            _ => vec![Value::Null],
        });
        each_in_turn(types.collect())
    }

    fn array(&self, keys: &Map<String, Value>, depth: usize) -> Vec<Value> {
        if let Some(Value::Array(items)) = keys.get("prefixItems") {
            let items: Vec<Vec<Value>> = items.iter().map(|item| self.of(item, depth)).collect();
            return one_by_one(&items).into_iter().map(Value::Array).collect();
        }
        let least = keys.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let least = usize::try_from(least).unwrap_or(0).min(DEPTH);
        let items = keys
            .get("items")
            .map_or(Vec::new(), |items| self.of(items, depth));
        let mut found: Vec<Value> = items
            .into_iter()
            .map(|item| Value::Array(vec![item; least.max(1)]))
            .collect();
        if least == 0 {
            found.push(json!([]));
        }
        first(found)
    }

    /// Returns objects with all properties, with each value of each; and one with only what is required.
    fn object(&self, keys: &Map<String, Value>, depth: usize) -> Vec<Value> {
        let required: Vec<&str> = match keys.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let none = Map::new();
        let properties = keys
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let mut names = Vec::new();
        let mut values = Vec::new();
        for (name, schema) in properties {
            let of = self.of(schema, depth);
            if !of.is_empty() {
                names.push(name);
                values.push(of);
            } else if required.contains(&name.as_str()) {
                // It is too deep.
                return Vec::new();
            }
        }
        let object = |values: Vec<Value>| {
            let fields = names.iter().copied().cloned().zip(values);
            fields.collect::<Map<String, Value>>()
        };
        let mut found: Vec<Value> = one_by_one(&values)
            .into_iter()
            .map(|values| Value::Object(object(values)))
            .collect();
        let mut least = object(values.iter().map(|values| values[0].clone()).collect());
        least.retain(|name, _| required.contains(&name.as_str()));
        if least.len() < names.len() {
            found.push(Value::Object(least));
        }
        if let (true, Some(more @ Value::Object(_))) =
            (properties.is_empty(), keys.get("additionalProperties"))
        {
            // A key may have to be a number.
            let entries = self.of(more, depth).into_iter();
            found.extend(entries.map(|value| json!({ "1": value })));
        }
        first(found)
    }
}

/// The ends of what a number may be.
fn integers(keys: &Map<String, Value>) -> Vec<Value> {
    let (least, most) = match keys.get("format").and_then(Value::as_str) {
        Some("int8") => (i64::from(i8::MIN), u64::from(i8::MAX.unsigned_abs())),
        Some("int16") => (i64::from(i16::MIN), u64::from(i16::MAX.unsigned_abs())),
        Some("int32") => (i64::from(i32::MIN), u64::from(i32::MAX.unsigned_abs())),
        Some("int64" | "int") => (i64::MIN, i64::MAX.unsigned_abs()),
        Some("uint8") => (0, u64::from(u8::MAX)),
        Some("uint16") => (0, u64::from(u16::MAX)),
        Some("uint32") => (0, u64::from(u32::MAX)),
        Some("uint64" | "uint") => (0, u64::MAX),
        _ => (1, 1),
    };
    let own = |key: &str| keys.get(key).filter(|value| value.is_number()).cloned();
    let least = own("minimum").unwrap_or(json!(least));
    let most = own("maximum").unwrap_or(json!(most));
    if least == most {
        vec![least]
    } else {
        vec![json!(1), least, most]
    }
}

/// A text of the format that is asked for.
fn text(keys: &Map<String, Value>) -> String {
    let format = keys.get("format").and_then(Value::as_str);
    let plain = match format.unwrap_or_default() {
        "date-time" => "2026-01-01T00:00:00Z",
        "date" => "2026-01-01",
        "time" | "partial-date-time" => "00:00:00",
        "duration" => "PT1S",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "uri" | "url" => "https://example.org/",
        "email" => "a@example.org",
        "ip" | "ipv4" => "127.0.0.1",
        "ipv6" => "::1",
        "char" => "a",
        _ => "",
    };
    let least = keys.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let least = usize::try_from(least).unwrap_or(0).min(1000);
    format!("{plain:a<least$}")
}

fn first(values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    values.into_iter().take(MOST).collect()
}

/// The first of each list, then the second of each, and so on.
fn each_in_turn(lists: Vec<Vec<Value>>) -> Vec<Value> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let at = |index: usize| {
        lists
            .iter()
            .filter_map(move |list| list.get(index).cloned())
    };
    first((0..longest).flat_map(at))
}

/// The first value of each list, and then each other value of one in its place.
fn one_by_one(lists: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let Some(plain) = lists
        .iter()
        .map(|list| list.first().cloned())
        .collect::<Option<Vec<_>>>()
    else {
        return Vec::new();
    };
    let mut found = vec![plain.clone()];
    for (at, list) in lists.iter().enumerate() {
        for value in &list[1..] {
            let mut other = plain.clone();
            other[at] = value.clone();
            found.push(other);
        }
    }
    found.truncate(MOST);
    found
}

/// Objects with the properties of both: each of one with the first of the other.
fn merged(one: &[Value], other: &[Value]) -> Vec<Value> {
    let with = |a: &Value, b: &Value| match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let mut all = a.clone();
            all.extend(b.clone());
            Value::Object(all)
        }
        _ => b.clone(),
    };
    let (Some(plain), Some(other_plain)) = (one.first(), other.first()) else {
        return Vec::new();
    };
    let others = other.iter().map(|other| with(plain, other));
    first(others.chain(one[1..].iter().map(|one| with(one, other_plain))))
}

#[cfg(test)]
mod tests;
