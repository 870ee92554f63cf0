//! Tests of whole expansions: of half-typed input (`lenient`), of what an editor completes
//! (`completion`), of the places of names (`spans`), of what all macros have in common (`output`),
//! of how much they generate (`size`), and of the items of steps-core that generated code names (`core_items`).

mod completion;
mod core_items;
mod lenient;
mod output;
mod size;
mod spans;

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::{flow, reader::Reader};

type Macro = fn(Reader, TokenStream, TokenStream) -> TokenStream;

fn parse(text: &str) -> TokenStream {
    text.parse().expect("a test's source")
}

fn work(reader: Reader, lines: &str) -> TokenStream {
    let item = format!(
        "async fn work(cloud: &Cloud, spec: Spec) -> Result<u32, String> {{
            steps! {{ first = make(cloud); {lines} last = join(first); }}
            Ok(last)
        }}"
    );
    flow::flow(reader, TokenStream::new(), parse(&item))
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

fn count(tokens: &TokenStream, name: &str) -> usize {
    idents(tokens).iter().filter(|ident| *ident == name).count()
}
