//! The macros of the `steps` crate, which exports them: `use steps::prelude::*;`.
//!
//! Each macro is a function from tokens to tokens: parse → model → check → expand. This file holds
//! only the entry points.
//!
//! ```text
//! step            #[step]
//! handlers/       #[undo], #[verify], #[observe]; #[stop], #[on_check_in]; #[on_done], #[on_failed], #[on_stopped]
//! flow/           #[flow], #[plan] and steps!
//!   parse/        tokens → model
//!   model         what a flow says
//!   check/        the rules that concern several lines
//!   expand/       model → tokens, one file for each thing that is emitted
//! item/           the user's function: its parameters, its return type, how it is called
//! attr/           the options in an attribute
//! errors          the errors found: a macro reports all of them
//! case            the cases of rename_all
//! reader          whether the compiler reads the output, or an editor
//! idents          the names that expressions use and patterns bind
//! ```
#![forbid(unsafe_code)]

mod attr;
mod case;
mod errors;
mod flow;
mod handlers;
mod idents;
mod item;
mod reader;
mod step;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use reader::Reader;

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

/// Marks a function as the list of the steps that plans may have.
#[proc_macro_attribute]
pub fn plan(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("plan", flow::plan, attr, item)
}

/// Marks the function that undoes what a step did.
#[proc_macro_attribute]
pub fn undo(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("undo", handlers::step::undo, attr, item)
}

/// Marks the function that finds out whether a step's effect happened.
#[proc_macro_attribute]
pub fn verify(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("verify", handlers::step::verify, attr, item)
}

/// Marks the function that looks, before and after a step, at what the step changes.
#[proc_macro_attribute]
pub fn observe(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("observe", handlers::step::observe, attr, item)
}

/// Marks the function that asks for the task of an external step to be stopped.
#[proc_macro_attribute]
pub fn stop(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("stop", handlers::external::stop, attr, item)
}

/// Marks the function that is told of the progress of an external step's task.
#[proc_macro_attribute]
pub fn on_check_in(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_check_in", handlers::external::on_check_in, attr, item)
}

/// Marks the function that is called when a flow is done.
#[proc_macro_attribute]
pub fn on_done(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_done", handlers::flow::on_done, attr, item)
}

/// Marks the function that is called when a flow has failed.
#[proc_macro_attribute]
pub fn on_failed(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_failed", handlers::flow::on_failed, attr, item)
}

/// Marks the function that is called when an execution of a flow is stopped.
#[proc_macro_attribute]
pub fn on_stopped(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand("on_stopped", handlers::flow::on_stopped, attr, item)
}

/// Lists the steps of a flow, at the beginning of a function marked `#[flow]`. Anywhere else, it is
/// an error.
#[proc_macro]
pub fn steps(block: TokenStream) -> TokenStream {
    flow::outside(block.into()).into()
}

type Macro =
    fn(Reader, proc_macro2::TokenStream, proc_macro2::TokenStream) -> proc_macro2::TokenStream;

fn expand(role: &str, expand: Macro, attr: TokenStream, item: TokenStream) -> TokenStream {
    let (attr, item) = (attr.into(), item.into());
    item::conditions::first(role, &attr, &item)
        .unwrap_or_else(|| expand(Reader::of_this_process(), attr, item))
        .into()
}
