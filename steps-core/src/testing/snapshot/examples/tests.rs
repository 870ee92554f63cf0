//! Examples of schemas as types have them.

use super::*;

fn examples(schema: &Value) -> Vec<Value> {
    Schemas { root: schema }.of(schema, DEPTH)
}

#[test]
fn each_property_has_each_of_its_values_and_may_be_missing() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "boolean" }, "b": { "type": ["string", "null"] } },
        "required": ["a"],
    });
    assert_eq!(
        examples(&schema),
        [
            json!({ "a": false, "b": "" }),
            json!({ "a": true, "b": "" }),
            json!({ "a": false, "b": null }),
            json!({ "a": false }),
        ]
    );
}

#[test]
fn variants_references_and_what_is_flattened_are_followed() {
    let schema = json!({
        "oneOf": [
            { "type": "string", "enum": ["One"] },
            { "type": "object", "properties": { "Two": { "$ref": "#/$defs/Pair" } }, "required": ["Two"] },
        ],
        "$defs": { "Pair": { "type": "array", "prefixItems": [{ "type": "null" }, { "const": 2 }] } },
    });
    assert_eq!(
        examples(&schema),
        [json!("One"), json!({ "Two": [null, 2] })]
    );
    let tagged = json!({
        "type": "object",
        "properties": { "n": { "const": 1 } },
        "required": ["n"],
        "oneOf": [{ "type": "object", "properties": { "t": { "const": "x" } }, "required": ["t"] }],
    });
    assert_eq!(examples(&tagged), [json!({ "n": 1, "t": "x" })]);
}

#[test]
fn a_type_within_itself_has_examples_that_end() {
    let schema = json!({
        "type": "object",
        "properties": { "below": { "type": "array", "items": { "$ref": "#" } } },
        "required": ["below"],
    });
    let found = examples(&schema);
    assert!(found.contains(&json!({ "below": [] })), "{found:?}");
    let endless =
        json!({ "type": "object", "properties": { "a": { "$ref": "#" } }, "required": ["a"] });
    assert_eq!(examples(&endless), [json!(null); 0]);
}

#[test]
fn there_are_few_of_each_type() {
    let field = json!({ "enum": (0..100).collect::<Vec<_>>() });
    let properties: Map<String, Value> = (0..100).map(|n| (n.to_string(), field.clone())).collect();
    let found = examples(&json!({ "type": "object", "properties": properties }));
    assert_eq!(found.len(), MOST);
}

#[test]
fn a_number_is_at_each_of_its_ends() {
    let byte = json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 });
    assert_eq!(examples(&byte), [json!(1), json!(0), json!(255)]);
    assert_eq!(examples(&json!({ "type": "integer" })), [json!(1)]);
}

#[test]
fn a_field_that_is_gone_is_named_by_its_path() {
    let was = [json!({ "a": [{ "b": 1, "c": { "d": 1 } }], "e": 1 })];
    let is = [json!({ "a": [{ "b": 1 }], "e": 2 })];
    assert_eq!(gone(&was, &is), ["a.c"]);
    assert_eq!(gone(&was, &[]), [""; 0]);
}
