//! The macros of the `steps` crate. Use them through it: `use steps::prelude::*;`.
//!
//! This file holds the entry points only; each macro is a function from tokens to tokens in a
//! module of its own.
#![forbid(unsafe_code)]

mod args;
mod diag;
mod duration;
mod flow;
mod flow_handler;
mod function;
mod handler;
mod names;
mod options;
mod output;
mod step;
#[cfg(test)]
mod tests;
mod text;

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
    expand("undo", handler::undo, attr, item)
}

/// Marks the function that finds out whether a step's effect happened.
#[proc_macro_attribute]
pub fn verify(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("verify", handler::verify, attr, item)
}

/// Marks the function that looks at what a step changes, before and after.
#[proc_macro_attribute]
pub fn observe(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("observe", handler::observe, attr, item)
}

/// Marks the function that is called once a flow is done.
#[proc_macro_attribute]
pub fn on_done(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_done", flow_handler::on_done, attr, item)
}

/// Marks the function that is called once a flow has failed.
#[proc_macro_attribute]
pub fn on_failed(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_failed", flow_handler::on_failed, attr, item)
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
    function::conditions_first(role, &attr, &item)
        .unwrap_or_else(|| expand(attr, item))
        .into()
}
