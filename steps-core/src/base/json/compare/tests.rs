use super::*;

/// `wide_numbers`: numbers beyond 64 bits were compared as floats.
#[test]
fn regression_wide_numbers_are_compared_digit_by_digit() {
    assert!(!same(
        r#"{"wei":25000000000000000000}"#,
        r#"{"wei":25000000000000000001}"#
    ));
    assert!(!same("-36893488147419103232", "-36893488147419103233"));
    assert!(!same("0.1", "0.10000000000000001"));
    assert!(!same("0.0", "-0.0"));
}

#[test]
fn spaces_the_order_of_fields_and_how_text_is_escaped_do_not_matter() {
    assert!(same(
        " { \"a\" : [ 1 , {\"b\":\"\\u0078\"} ], \"c\":null }",
        r#"{"c":null,"a":[1,{"b":"x"}]}"#
    ));
    assert!(!same("[1,2]", "[2,1]"));
    assert!(same_in_any_order(
        r#"{"a":[1,[2,3]]}"#,
        r#"{"a":[[3,2],1]}"#
    ));
    assert!(!same_in_any_order("[1,1,2]", "[1,2,2]"));
    assert!(!same_in_any_order(r#"["1"]"#, "[1]"));
}

#[test]
fn a_difference_is_told_by_where_it_is() {
    let tell = |first, second| {
        let found = difference(first, second).unwrap();
        (found.path, found.is_order)
    };
    assert_eq!(
        tell(
            r#"{"n":1,"spec":{"hosts":[1,{"a":2}]}}"#,
            r#"{"spec":{"hosts":[1,{"a":3}]},"n":1}"#
        ),
        ("spec.hosts[1].a".into(), false)
    );
    assert_eq!(
        tell(r#"{"to":[["a","b"],[]]}"#, r#"{"to":[["b","a"],[]]}"#),
        ("to[0]".into(), true)
    );
    assert_eq!(
        tell(r#"{"to":["a","b"]}"#, r#"{"to":["b","a"]}"#),
        ("to".into(), true)
    );
    let new = difference("{}", r#"{"a":1}"#).unwrap();
    assert_eq!((new.first, new.second), (None, Some("1")));
    assert_eq!(tell("1", "[]"), (String::new(), false));
}

/// Compared as values, two texts that are too deep to be read were the same.
#[test]
fn what_is_deep_is_compared_as_text() {
    let deep = |inside: &str| "[".repeat(10_000) + inside + &"]".repeat(10_000);
    assert!(same(&deep("1"), &deep("1")));
    assert!(!same(&deep("1"), &deep("2")));
}
