//! A change within a type that has a schema: its fields are known from examples in the file.

use super::*;

/// A version whose types have these fields, with their schema.
macro_rules! version {
    ($name:ident, { $($(#[$meta:meta])* $field:ident: $ty:ty),* }, $schema:tt) => {
        pub(super) mod $name {
            use steps::prelude::*;

            #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
            pub(in super::super) struct Order { $($(#[$meta])* $field: $ty),* }

            impl schemars::JsonSchema for Order {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    "Order".into()
                }
                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!($schema)
                }
            }

            #[step]
            async fn make() -> Result<Order, String> {
                Ok(Order::default())
            }

            #[flow(name = "inner")]
            async fn inner(order: Order) -> Result<Option<Order>, String> {
                steps! {}
                Ok(Some(order))
            }

            #[flow(name = "typed")]
            pub(in super::super) async fn flow(order: Order) -> Result<(), String> {
                steps! {
                    a = { made = make(); }
                    asked = steps::signal::<Vec<Order>>();
                    let kept: Order = Order::default();
                    it = flow inner(Order::default());
                }
                let _ = (order, a, asked, kept, it);
                Ok(())
            }
        }
    };
}

/// What the two parts of a union of types, of which one has no schema, save.
macro_rules! plain {
    ($name:ident, { $($(#[$meta:meta])* $field:ident: $ty:ty),* }) => {
        pub(super) mod $name {
            use steps::prelude::*;

            #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
            pub(in super::super) struct Order { $($(#[$meta])* $field: $ty),* }

            #[step]
            async fn make() -> Result<Order, String> {
                Ok(Order::default())
            }

            #[flow(name = "inner")]
            async fn inner(order: Order) -> Result<Option<Order>, String> {
                steps! {}
                Ok(Some(order))
            }

            #[flow(name = "typed")]
            pub(in super::super) async fn flow(order: Order) -> Result<(), String> {
                steps! {
                    a = { made = make(); }
                    asked = steps::signal::<Vec<Order>>();
                    let kept: Order = Order::default();
                    it = flow inner(Order::default());
                }
                let _ = (order, a, asked, kept, it);
                Ok(())
            }
        }
    };
}

version!(typed, { count: u32, note: Option<String> }, {
    "type": "object",
    "properties": {
        "count": { "type": "integer", "format": "uint32", "minimum": 0 },
        "note": { "type": ["string", "null"] },
    },
    "required": ["count", "note"],
});
version!(typed_wider, { count: u64, note: Option<String>, #[serde(default)] more: bool }, {
    "type": "object",
    "properties": {
        "count": { "type": "integer", "format": "uint64", "minimum": 0 },
        "note": { "type": ["string", "null"] },
        "more": { "type": "boolean" },
    },
    "required": ["count", "note", "more"],
});
version!(typed_required, { count: u32, note: Option<String>, more: bool }, {
    "type": "object",
    "properties": {
        "count": { "type": "integer", "format": "uint32", "minimum": 0 },
        "note": { "type": ["string", "null"] },
        "more": { "type": "boolean" },
    },
    "required": ["count", "note", "more"],
});
version!(typed_renamed, { number: u32, note: Option<String> }, {
    "type": "object",
    "properties": {
        "number": { "type": "integer", "format": "uint32", "minimum": 0 },
        "note": { "type": ["string", "null"] },
    },
    "required": ["number", "note"],
});
version!(typed_alias, { #[serde(alias = "count")] number: u32, note: Option<String> }, {
    "type": "object",
    "properties": {
        "number": { "type": "integer", "format": "uint32", "minimum": 0 },
        "note": { "type": ["string", "null"] },
    },
    "required": ["number", "note"],
});
version!(typed_narrow, { count: u8, note: Option<String> }, {
    "type": "object",
    "properties": {
        "count": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 },
        "note": { "type": ["string", "null"] },
    },
    "required": ["count", "note"],
});
version!(typed_filled, { count: u32, note: String }, {
    "type": "object",
    "properties": {
        "count": { "type": "integer", "format": "uint32", "minimum": 0 },
        "note": { "type": "string" },
    },
    "required": ["count", "note"],
});
version!(typed_less, { count: u32 }, {
    "type": "object",
    "properties": { "count": { "type": "integer", "format": "uint32", "minimum": 0 } },
    "required": ["count"],
});
plain!(plain_same, { count: u32, note: Option<String> });
plain!(plain_required, { count: u32, note: Option<String>, more: bool });

/// The lines, and the input, where a type of theirs is found.
const PLACES: [&str; 5] = [
    "the input does",
    "`a.made` does",
    "`asked` does",
    "`kept` does",
    "`it` does",
];

/// Refuses a version after another one, with this at each of its types.
fn refused(before: &str, version: &str, why: &str) {
    let snapshot = Snapshot::of(before);
    let text = snapshot.text();
    for mode in ["", "update"] {
        let message = snapshot.assert(version, mode).unwrap_err();
        assert!(message.contains("would strand executions"), "{message}");
        for place in PLACES {
            let told = message
                .lines()
                .any(|line| line.contains(place) && line.contains(why));
            assert!(told, "{place}: {message}");
        }
        assert!(
            message.contains("the input of `it` does not fit"),
            "{message}"
        );
        assert!(message.contains("wants `#[serde(default)]`"), "{message}");
    }
    assert_eq!(snapshot.text(), text);
}

/// Takes a version after another one, once it is written.
fn fits(before: &str, version: &str, told: &[&str]) {
    let snapshot = Snapshot::of(before);
    let message = snapshot.assert(version, "").unwrap_err();
    assert!(message.contains("fits all executions"), "{message}");
    for told in told {
        assert!(message.contains(told), "{message}");
    }
    assert_eq!(
        message.contains("Is this meant?"),
        !told.is_empty(),
        "{message}"
    );
    snapshot.assert(version, "update").unwrap();
    snapshot.assert(version, "").unwrap();
}

#[test]
fn a_field_that_became_required_is_named_at_each_line() {
    refused("typed", "typed_required", "missing field `more`");
}

#[test]
fn a_field_that_was_renamed_is_named_unless_it_has_an_alias() {
    refused("typed", "typed_renamed", "missing field `number`");
    fits(
        "typed",
        "typed_alias",
        &[
            "`a.made` gave a field `count`, which is read no more",
            "#[serde(alias",
        ],
    );
}

#[test]
fn a_field_of_another_type_is_named_with_a_value_that_is_not_read() {
    refused("typed", "typed_narrow", "integer `4294967295`, expected u8");
    refused(
        "typed",
        "typed_filled",
        "invalid type: null, expected a string",
    );
}

#[test]
fn a_type_that_reads_what_was_saved_fits() {
    fits("typed", "typed_wider", &[]);
}

#[test]
fn a_field_that_is_read_no_more_is_told() {
    let told = [
        "the input: `order` had a field `note`, which is read no more",
        "`a.made` gave a field `note`",
        "`asked` gave a field `note`",
        "`kept` gave a field `note`",
        "`it` gave a field `note`",
        "the input of `it`: `order` had a field `note`",
    ];
    fits("typed", "typed_less", &told);
}

#[test]
fn a_file_without_examples_is_read_as_before_and_gets_them() {
    let snapshot = Snapshot::of("plain_same");
    assert!(!snapshot.text().unwrap().contains("xamples"));
    snapshot.assert("typed", "").unwrap();
    assert!(!snapshot.text().unwrap().contains("xamples"));
    snapshot.assert("typed", "update").unwrap();
    assert!(
        snapshot
            .text()
            .unwrap()
            .contains("{\"count\":4294967295,\"note\":\"\"}")
    );
    snapshot.assert("typed", "").unwrap();
}

/// The types have no schema, as where the feature is off.
#[test]
fn a_file_with_examples_is_compared_where_there_are_no_schemas() {
    let snapshot = Snapshot::of("typed");
    let text = snapshot.text();
    snapshot.assert("plain_same", "").unwrap();
    snapshot.assert("plain_same", "update").unwrap();
    assert_eq!(snapshot.text(), text);
    refused("typed", "plain_required", "missing field `more`");
}
