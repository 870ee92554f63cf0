//! What is true of the output of every macro.

use super::{Macro, count, parse};
use crate::{flow, handlers, reader::Reader, step};

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
        let output = expand(Reader::Compiler, parse(attr), parse(item));
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
        let output = expand(Reader::Compiler, parse(attr), parse(item));
        assert!(count(&output, "compile_error") > 0, "{item}");
        let file = syn::parse2::<syn::File>(output).expect("items");
        let function = file.items.iter().any(|item| match item {
            syn::Item::Fn(function) => function.sig.ident == "make",
            _ => false,
        });
        assert!(function, "{item}");
    }
}
