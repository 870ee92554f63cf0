//! What an editor needs of an expansion, and what a user's names need: their order, their places,
//! and that half-typed input leaves the rest as it is.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::{flow, handlers, step};

type Macro = fn(TokenStream, TokenStream) -> TokenStream;

fn parse(text: &str) -> TokenStream {
    text.parse().expect("a test's source")
}

fn work(lines: &str) -> TokenStream {
    let item = format!(
        "async fn work(cloud: &Cloud, spec: Spec) -> Result<u32, String> {{
            steps! {{ first = make(cloud); {lines} last = join(first); }}
            Ok(last)
        }}"
    );
    flow::flow(TokenStream::new(), parse(&item))
}

fn idents(tokens: &TokenStream) -> Vec<Ident> {
    fn collect(tokens: TokenStream, all: &mut Vec<Ident>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => all.push(ident),
                TokenTree::Group(group) => collect(group.stream(), all),
                _ => {}
            }
        }
    }
    let mut all = Vec::new();
    collect(tokens.clone(), &mut all);
    all
}

fn position(tokens: &TokenStream, name: &str) -> usize {
    let all = idents(tokens);
    let found = all.iter().position(|ident| ident == name);
    found.unwrap_or_else(|| panic!("there is no `{name}`"))
}

fn count(tokens: &TokenStream, name: &str) -> usize {
    idents(tokens).iter().filter(|ident| *ident == name).count()
}

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

#[test]
fn the_crate_is_named_by_one_option() {
    let cases: [(Macro, &str, &str); 5] = [
        (
            step::step,
            "crate = tree",
            "async fn make(n: u32) -> Result<u32, String> { Ok(n) }",
        ),
        (
            flow::flow,
            "crate = tree, reversible",
            "async fn work(c: &Cloud, n: u32) -> Result<u32, String> {
                tree::steps! { a = make(n); b = if n > 1 { c = flow sub(n); } } Ok(a)
            }",
        ),
        (
            handlers::step::undo,
            "make, crate = tree",
            "async fn unmake(n: u32, made: &u32) {}",
        ),
        (
            handlers::step::verify,
            "make, crate = tree",
            "async fn made(n: u32) -> Option<u32> { None }",
        ),
        (
            handlers::flow::on_done,
            "work, crate = tree",
            "async fn told(n: &u32, out: &u32) {}",
        ),
    ];
    for (expand, attr, item) in cases {
        let output = expand(parse(attr), parse(item));
        assert_eq!(count(&output, "compile_error"), 0, "{item}");
        assert_eq!(count(&output, "steps"), 0, "{output}");
        assert!(count(&output, "tree") > 0);
    }
}

#[test]
fn functions_with_errors_are_there_all_the_same() {
    let cases: [(Macro, &str, &str); 4] = [
        (
            step::step,
            "retry(times = 0)",
            "async fn make(n: u32) -> Result<u32, String> { Ok(n) }",
        ),
        (step::step, "tomeout = 1", "fn make<T>(n: T) -> u32 { 1 }"),
        (flow::flow, "", "async fn make() {}"),
        (handlers::step::undo, "", "async fn make(n: u32) {}"),
    ];
    for (expand, attr, item) in cases {
        let output = expand(parse(attr), parse(item));
        assert!(count(&output, "compile_error") > 0, "{item}");
        let file = syn::parse2::<syn::File>(output).expect("items");
        let function = file.items.iter().any(|item| match item {
            syn::Item::Fn(function) => function.sig.ident == "make",
            _ => false,
        });
        assert!(function, "{item}");
    }
}
