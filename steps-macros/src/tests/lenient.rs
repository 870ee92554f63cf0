//! Half-typed input is an error, and everything else in the flow is expanded as before.

use super::{count, work};
use crate::reader::Reader;

#[test]
fn half_typed_lines_leave_the_others() {
    for half in [
        "a",
        "a =",
        "a = ",
        "a = cre",
        "a = cloud::",
        "a = create_vm",
        "a = create_vm(cloud, &spec.);",
        "a = create_vm(cloud, &spec.)",
        "a = create_vm(cloud).",
        "a = parallel",
        "a = parallel create_vm(cloud);",
        "a = for x in",
        "a = for x in spec.all",
        "a = for x in spec.all by",
        "a = if",
        "a = if spec.",
        "a = loop",
        "a = loop { b = create_vm(cloud); }",
        "a = { b = cre }",
        "a = { b = }",
        "#[opt]",
        "#[optional(yes)]",
        "+ 1;",
        "let a = 1;",
        "create_vm(cloud)?;",
    ] {
        let output = work(Reader::Compiler, half);
        let text = output.to_string();
        assert!(count(&output, "compile_error") >= 1, "`{half}` is no error");
        for part in ["pub first :", "pub last :", "WorkState", "pub const STEPS"] {
            assert!(text.contains(part), "with `{half}`, `{part}` is missing");
        }
        assert!(
            syn::parse2::<syn::File>(output).is_ok(),
            "`{half}` does not parse"
        );
    }
}

#[test]
fn one_bad_line_is_one_error() {
    for half in [
        "a = cre",
        "a = for x in",
        "a = create_vm(cloud)",
        "a = cloud::",
        "a =",
    ] {
        assert_eq!(
            count(&work(Reader::Compiler, half), "compile_error"),
            1,
            "{half}"
        );
    }
    let output = work(
        Reader::Compiler,
        "a = parallel b(); c = { d = ; e = f(cloud).await; }",
    );
    assert_eq!(count(&output, "compile_error"), 3);
}

/// An editor reads the names of all lines before, and what is typed.
#[test]
fn a_half_typed_line_is_there_for_an_editor() {
    for (half, seen) in [
        (
            "a = cre",
            "let a = :: steps :: __private :: editor :: unfinished ({ cre }) ;",
        ),
        (
            "a = create_vm(cloud, &spec.)",
            "(create_vm (cloud , & spec .)",
        ),
        ("create_vm(cloud, &fi) a", "create_vm (cloud , & fi)"),
        ("cloud::", "unfinished ({ cloud :: })"),
        (
            "a = for x in spec.al",
            "unfinished ({ for x in spec . al })",
        ),
        ("a = if first.", "unfinished ({ if first . })"),
        ("let a = first.", "unfinished ({ let a = first . })"),
        (
            "a = { b = cre }",
            "let b = :: steps :: __private :: editor :: unfinished ({ cre }) ;",
        ),
    ] {
        let output = work(Reader::Editor, half);
        let text = output.to_string();
        assert!(
            text.contains(seen),
            "of `{half}` there is no `{seen}`: {text}"
        );
        assert!(count(&output, "compile_error") >= 1, "`{half}` is no error");
        for part in ["let first =", "let last =", "pub first :", "pub last :"] {
            assert!(text.contains(part), "with `{half}`, `{part}` is missing");
        }
    }
}
