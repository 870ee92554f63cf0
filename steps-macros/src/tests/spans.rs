//! What an editor needs: the order of names in an expansion, and their places.

use proc_macro2::TokenStream;

use super::{count, idents, parse, position, work};
use crate::flow;

#[test]
fn paths_stand_in_value_position_before_all_that_is_derived() {
    let output = work("vm = create_vm(cloud, &spec.name); sub = flow other(cloud);");
    for path in ["create_vm", "other"] {
        let first = position(&output, path);
        assert!(position(&output, "__values") < first, "{path}");
        assert!(first < position(&output, "__Slots0"), "{path}");
        assert!(first < position(&output, "WorkFields"), "{path}");
    }
    // Once for an editor, once for the table, and for each type that it decides.
    assert_eq!(count(&output, "__values"), 1);
}

#[test]
fn what_is_derived_is_not_where_the_user_wrote() {
    let source = "async fn work(cloud: &Cloud) -> Result<u32, String> {
        steps! { vm = create_vm(cloud, 1); last = join(vm); }
        Ok(last)
    }";
    let output = flow::flow(TokenStream::new(), parse(source));
    let lines: Vec<&str> = source.lines().collect();
    for ident in idents(&output) {
        let (start, end) = (ident.span().start(), ident.span().end());
        // The macro's own, or of the signature.
        if end.column <= start.column || start.line != 2 {
            continue;
        }
        let Some(there) = lines
            .get(start.line - 1)
            .and_then(|line| line.get(start.column..end.column))
        else {
            continue;
        };
        let text = ident.to_string();
        // What an error about a call is put at is a few tokens, and none that could be taken for
        // the user's.
        let carrier = text.starts_with("__")
            || [
                "_",
                "step_call",
                "flow_call",
                "call",
                "StepReturn",
                "Output",
                "codec",
                "Self",
                "a",
            ]
            .contains(&text.as_str());
        assert!(
            text == there || carrier,
            "`{text}` stands where `{there}` was written"
        );
    }
}
