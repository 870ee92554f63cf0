//! How the slot of a line, which holds its value while the flow runs, becomes that value; and what a
//! failure of the line means for it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::flow::model::{Body, Line};

/// Returns the type that says how the slots of a group become its value.
pub(super) fn fold(line: &Line) -> TokenStream {
    match &line.body {
        Body::For { .. } => quote!(__p::Each),
        Body::If { .. } => quote!(__p::Maybe),
        _ => quote!(__p::Group),
    }
}

/// What a failure of a line means for its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is no value: a group around it fails, too.
    Required,
    /// `None`.
    Optional,
    /// The failure, in a `Result`.
    Caught,
}

impl Outcome {
    /// Returns that of a line.
    pub(super) fn of(line: &Line) -> Self {
        match &line.body {
            _ if line.caught => Self::Caught,
            // Its value is an `Option` already.
            Body::If {
                otherwise: None, ..
            } => Self::Required,
            _ if line.optional => Self::Optional,
            _ => Self::Required,
        }
    }

    /// Returns the type of the value of a line that gives a `plain`.
    pub(super) fn value(self, private: &TokenStream, plain: &TokenStream) -> TokenStream {
        match self {
            Self::Required => plain.clone(),
            Self::Optional => quote!(#private::Option<#plain>),
            Self::Caught => quote!(#private::Result<#plain, #private::StepFailure>),
        }
    }

    /// Returns the value of a line that gave `value`, as an expression.
    pub(super) fn done(self, private: &TokenStream, value: &TokenStream) -> TokenStream {
        match self {
            Self::Required => value.clone(),
            Self::Optional => quote!(#private::Option::Some(#value)),
            Self::Caught => quote!(#private::Result::<_, #private::StepFailure>::Ok(#value)),
        }
    }

    /// Returns the argument of a cell's type, with the comma before it.
    pub(super) fn argument(self) -> TokenStream {
        match self {
            Self::Required => TokenStream::new(),
            Self::Optional => quote!(, __p::Optional),
            Self::Caught => quote!(, __p::Caught),
        }
    }
}
