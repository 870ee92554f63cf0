//! Tests of whole expansions: of half-typed input (`lenient`), of the order and the spans of names
//! (`spans`), of what all macros have in common (`output`), and of the items of steps-core that
//! generated code names (`core_items`).

mod core_items;
mod lenient;
mod output;
mod spans;

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::flow;

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
