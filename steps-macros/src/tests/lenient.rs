//! Half-typed input is an error, and everything else in the flow is expanded as before.

use super::{count, work};

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
        let output = work(half);
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
        assert_eq!(count(&work(half), "compile_error"), 1, "{half}");
    }
    let output = work("a = parallel b(); c = { d = ; e = f(cloud).await; }");
    assert_eq!(count(&output, "compile_error"), 3);
}
