//! Types as strings. They are saved in files, so they must not depend on the layout of the source
//! or on the compiler's version, as the `Display` of tokens does.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

/// Returns a type as rustfmt would write it on one line.
pub(crate) fn of(ty: &impl ToTokens) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut arrow = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                let mut inner = String::new();
                write(group.stream(), &mut inner);
                if open == "[" && ends_in_word(text) {
                    text.push(' ');
                }
                text.push_str(open);
                text.push_str(without_last_comma(&inner, group.delimiter()));
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                comma @ (',' | ';') => text.extend([comma, ' ']),
                plus @ ('+' | '=') => text.extend([' ', plus, ' ']),
                '-' => {
                    text.push_str(" -");
                    arrow = true;
                    continue;
                }
                '>' if arrow => text.push_str("> "),
                '>' => {
                    text.truncate(without_last_comma(text, Delimiter::None).len());
                    text.push('>');
                }
                other => text.push(other),
            },
            word => {
                if ends_in_word(text) {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
        arrow = false;
    }
}

/// Whether the text ends in a word, so that a space is needed before the next one.
fn ends_in_word(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Removes the comma after the last part, which rustfmt writes when it breaks lines. In `(T,)` the
/// comma stays: it makes the tuple.
fn without_last_comma(text: &str, around: Delimiter) -> &str {
    let text = text.trim_end();
    match text.strip_suffix(',') {
        Some(rest) if around != Delimiter::Parenthesis || rest.contains(", ") => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn text(source: &str) -> String {
        of(&TokenStream::from_str(source).unwrap())
    }

    #[test]
    fn a_type_is_written_as_rustfmt_writes_it() {
        for ty in [
            "()",
            "u32",
            "Vec<u8>",
            "std::vec::Vec<crate::Id>",
            "HashMap<String, (u32, [u8; 4])>",
            "(T,)",
            "Box<dyn Fn(u32, &'static str) -> Option<T> + Send + 'static>",
            "&'a mut [T]",
            "Arc<dyn Iterator<Item = r#type>>",
            "<T as Trait>::Output",
            "Vec<Vec<Vec<u8>>>",
            "fn() -> u8",
            "*const T",
            "!",
        ] {
            assert_eq!(text(ty), ty);
        }
    }

    #[test]
    fn it_is_the_same_however_it_is_laid_out() {
        for (written, same) in [
            ("Vec < u8 >", "Vec<u8>"),
            ("std :: vec :: Vec<u8>", "std::vec::Vec<u8>"),
            (
                "HashMap<\n    String,\n    Vec<u8>,\n>",
                "HashMap<String, Vec<u8>>",
            ),
            ("(\n    A,\n    B,\n)", "(A, B)"),
            ("& 'static str", "&'static str"),
            ("Box<dyn Fn( A )->B>", "Box<dyn Fn(A) -> B>"),
        ] {
            assert_eq!(text(written), same);
        }
    }

    #[test]
    fn what_a_macro_put_in_has_no_brackets() {
        let inner = TokenStream::from_str("Vec<u8>").unwrap();
        let group = TokenTree::Group(proc_macro2::Group::new(Delimiter::None, inner));
        assert_eq!(of(&quote::quote!(Option<#group>)), "Option<Vec<u8>>");
    }
}
