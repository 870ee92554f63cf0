//! The macros of the `steps` crate. Use them through it: `use steps::prelude::*;`.
//!
//! Each macro is a function from tokens to tokens: parse → model → check → expand. This file holds
//! only the entry points.
//!
//! ```text
//! step            #[step]
//! handlers/       #[undo], #[verify], #[observe]; #[on_done], #[on_failed]
//! flow/           #[flow] and steps!
//!   parse/        tokens → model
//!   model         what a flow says
//!   check/        the rules across lines
//!   expand/       model → tokens, one file for each thing that is emitted
//! item/           the user's function: parameters, return type, how it is called
//! attr/           the options in an attribute
//! errors          errors are collected; a macro reports all it finds
//! case, idents    rename_all; the names that expressions use and patterns bind
//! ```
#![forbid(unsafe_code)]

mod attr;
mod case;
mod errors;
mod flow;
mod handlers;
mod idents;
mod item;
mod step;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Marks a function as a step.
#[proc_macro_attribute]
pub fn step(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("step", step::step, attr, item)
}

/// Marks a function as a flow.
#[proc_macro_attribute]
pub fn flow(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("flow", flow::flow, attr, item)
}

/// Marks the function that takes back what a step did.
#[proc_macro_attribute]
pub fn undo(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("undo", handlers::step::undo, attr, item)
}

/// Marks the function that finds out whether a step's effect happened.
#[proc_macro_attribute]
pub fn verify(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("verify", handlers::step::verify, attr, item)
}

/// Marks the function that looks at what a step changes, before and after.
#[proc_macro_attribute]
pub fn observe(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("observe", handlers::step::observe, attr, item)
}

/// Marks the function that is called once a flow is done.
#[proc_macro_attribute]
pub fn on_done(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_done", handlers::flow::on_done, attr, item)
}

/// Marks the function that is called once a flow has failed.
#[proc_macro_attribute]
pub fn on_failed(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_failed", handlers::flow::on_failed, attr, item)
}

/// The steps of a flow. It stands at the beginning of a function marked `#[flow]`, which reads it;
/// anywhere else it is an error.
#[proc_macro]
pub fn steps(block: TokenStream) -> TokenStream {
    flow::outside(block.into()).into()
}

type Macro = fn(proc_macro2::TokenStream, proc_macro2::TokenStream) -> proc_macro2::TokenStream;

fn expand(role: &str, expand: Macro, attr: TokenStream, item: TokenStream) -> TokenStream {
    let (attr, item) = (attr.into(), item.into());
    item::function::conditions_first(role, &attr, &item)
        .unwrap_or_else(|| expand(attr, item))
        .into()
}
