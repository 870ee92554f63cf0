//! How much is generated: in proportion to what is written.

use proc_macro2::{TokenStream, TokenTree};

use super::work;
use crate::reader::Reader;

fn count(tokens: TokenStream) -> usize {
    let size = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(size).sum()
}

/// Returns how many tokens a line of a `parallel` of so many adds, each of which uses two above it.
fn tokens_a_line(lines: usize) -> usize {
    let line = |index: usize| match index {
        0 | 1 => format!("l{index} = make(cloud, 1);"),
        _ => format!("l{index} = join(&l{}, &l{});", index - 1, index - 2),
    };
    let all: String = (0..lines).map(line).collect();
    let expanded = work(Reader::Compiler, &format!("all = parallel {{ {all} }}"));
    count(expanded) / lines
}

#[test]
fn a_parallel_with_dependences_grows_in_proportion() {
    let (few, many) = (tokens_a_line(50), tokens_a_line(200));
    assert!(
        many <= few,
        "{few} tokens a line of 50, {many} a line of 200"
    );
}
