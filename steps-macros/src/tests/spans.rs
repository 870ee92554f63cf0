//! What stands where the user wrote: an error points there, and an editor takes it for the user's.

use proc_macro2::{Ident, TokenStream};

use super::{idents, parse};
use crate::{flow, handlers, reader::Reader, step};

/// Returns the identifiers that stand on this line of the source, with what is written there.
fn at_line(output: &TokenStream, source: &str, line: usize) -> Vec<(Ident, String)> {
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let mut found = Vec::new();
    for ident in idents(output) {
        let (start, end) = (ident.span().start(), ident.span().end());
        // One that the macro made stands nowhere.
        if end.column <= start.column || start.line != line {
            continue;
        }
        if let Some(there) = text.get(start.column..end.column) {
            found.push((ident, there.to_owned()));
        }
    }
    found
}

const FLOW: &str = "async fn work(cloud: &Cloud) -> Result<u32, String> {
    steps! { vm = create_vm(cloud, 1); both = { one = vms::make(vm); } vms::join(both.one); }
    Ok(join)
}";

#[test]
fn what_the_compiler_needs_at_a_call_has_no_name_of_the_users() {
    let output = flow::flow(Reader::Compiler, TokenStream::new(), parse(FLOW));
    for (ident, there) in at_line(&output, FLOW, 2) {
        let text = ident.to_string();
        // Errors about a call need generated tokens with the user's spans.
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
                "A_FLOW_MUST_NOT_CONTAIN_ITSELF_0_0",
            ]
            .contains(&text.as_str());
        assert!(carrier || text == there, "`{text}` stands at `{there}`");
    }
}

#[test]
fn an_editor_finds_nothing_but_the_users_names_in_a_line() {
    let output = flow::flow(Reader::Editor, TokenStream::new(), parse(FLOW));
    let found = at_line(&output, FLOW, 2);
    for (ident, there) in &found {
        assert!(
            *ident == there || there == "(",
            "`{ident}` stands at `{there}`"
        );
    }
    for path in ["create_vm", "make", "join"] {
        let there = found.iter().filter(|(_, there)| there == path);
        assert_eq!(there.count(), 1, "{path} stands there more than once");
    }
}

#[test]
fn an_editor_finds_a_flows_parameters_where_the_lines_are() {
    let output = flow::flow(Reader::Editor, TokenStream::new(), parse(FLOW));
    let all = at_line(&output, FLOW, 1);
    let types = all.iter().filter(|(_, there)| there == "Cloud");
    assert_eq!(types.count(), 1);
    for (ident, there) in &all {
        assert_eq!(ident, there);
    }
}

#[test]
fn an_editor_finds_a_steps_types_in_its_signature_alone() {
    let item = "pub async fn make(cloud: &Cloud, n: u32) -> Result<Vm, Lost> { todo!() }";
    let options = parse("retry(times = 2, when = is_busy)");
    let output = step::step(Reader::Editor, options, parse(item));
    for name in ["cloud", "Cloud", "n", "u32", "Result", "Vm", "Lost"] {
        let there = at_line(&output, item, 1);
        let there = there.iter().filter(|(_, there)| there == name);
        assert_eq!(there.count(), 1, "{name}");
    }
    assert!(idents(&output).iter().any(|ident| ident == "is_busy"));
}

#[test]
fn an_editor_reads_the_target_of_a_handler_once_and_as_a_value() {
    let item = "async fn unmake(n: u32, made: &u32) {}";
    let of = |attr| handlers::step::undo(Reader::Editor, parse(attr), parse(item)).to_string();
    let named = "const _ : () = { { let _ = make ; } } ;";
    assert!(of("make").ends_with(named));
    assert_eq!(of("make").matches(" make").count(), 1);
    // Half-typed, it is named all the same.
    assert!(of("vms::").contains("let _ = vms :: ;"));
}
