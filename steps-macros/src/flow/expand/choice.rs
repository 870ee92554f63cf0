//! The enum that is the value of a `race` or a `match`: with a variant for each of its lines. Users match on it, so
//! it stands outside of the block; it is generic, so that it names none of the lines' types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::{
    case,
    flow::model::{Body, Flow, Line},
    item::{function, lints},
};

/// Returns the names of the variants.
pub(super) fn variants(lines: &[Line]) -> Vec<Ident> {
    let known = lines.iter().filter(|line| !line.is_lost());
    known
        .map(|line| Ident::new(&variant(line), Span::mixed_site()))
        .collect()
}

/// Returns the name of a line's variant.
pub(crate) fn variant(line: &Line) -> String {
    let name = line.name.to_string();
    let name = case::pascal(name.trim_start_matches("r#"));
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() && name != "Self" => name,
        _ => format!("_{name}"),
    }
}

/// Returns the enum of a line whose lines are these.
pub(super) fn item(flow: &Flow, title: &str, what: &str, of: &Body, lines: &[Line]) -> TokenStream {
    let vis = function::type_visibility(&flow.function.vis);
    let carried = lints::carried(&flow.function.attrs);
    let (name, variants) = (format_ident!("{title}"), variants(lines));
    let (which, chosen) = match of {
        Body::Match { .. } => ("arm", "taken"),
        _ => ("line", "done first"),
    };
    let about = format!("The value of {what}: that of the {which} that was {chosen}.");
    let known = lines.iter().filter(|line| !line.is_lost());
    let docs = known.map(|line| {
        let name = &line.name;
        format!("The {which} `{name}` was {chosen}; this is its value.")
    });
    let params: Vec<Ident> = (0..variants.len())
        .map(|index| format_ident!("T{index}"))
        .collect();
    quote! {
        #[doc = #about]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #carried
        #vis enum #name<#(#params),*> {
            #(#[doc = #docs] #[allow(dead_code)] #variants(#params),)*
        }
    }
}
