//! The macros of the `steps` crate. Use them through it: `use steps::prelude::*;`.
//!
//! This file holds the entry points only; each macro is a function from tokens to tokens in a
//! module of its own.
#![forbid(unsafe_code)]

mod args;
mod diag;
mod duration;
mod flow;
mod function;
mod handler;
mod names;
mod options;
mod output;
mod step;

use proc_macro::TokenStream;

/// Marks a function as a step.
#[proc_macro_attribute]
pub fn step(attr: TokenStream, item: TokenStream) -> TokenStream {
    step::step(attr.into(), item.into()).into()
}

/// Marks a function as a flow.
#[proc_macro_attribute]
pub fn flow(attr: TokenStream, item: TokenStream) -> TokenStream {
    flow::flow(attr.into(), item.into()).into()
}

/// Marks the function that takes back what a step did.
#[proc_macro_attribute]
pub fn undo(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::undo(attr.into(), item.into()).into()
}

/// Marks the function that finds out whether a step's effect happened.
#[proc_macro_attribute]
pub fn verify(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::verify(attr.into(), item.into()).into()
}

/// Marks the function that looks at what a step changes, before and after.
#[proc_macro_attribute]
pub fn observe(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::observe(attr.into(), item.into()).into()
}

/// Marks the function that is called once a flow is done.
#[proc_macro_attribute]
pub fn on_done(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::on_done(attr.into(), item.into()).into()
}

/// Marks the function that is called once a flow has failed.
#[proc_macro_attribute]
pub fn on_failed(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::on_failed(attr.into(), item.into()).into()
}

/// The steps of a flow. It stands at the beginning of a function marked `#[flow]`, which reads it;
/// anywhere else it is an error.
#[proc_macro]
pub fn steps(block: TokenStream) -> TokenStream {
    flow::outside(block.into()).into()
}
