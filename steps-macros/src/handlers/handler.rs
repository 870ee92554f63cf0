//! What all handlers have in common: how they are read, and the block around generated code.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{ItemFn, Path, ReturnType, Token, Type, parse::ParseStream, spanned::Spanned};

use crate::{
    attr::{
        args::{self, Arg},
        options::{Options, Place},
    },
    errors::Errors,
    item::{
        call::check_async,
        function::{self, Param, Role},
        lints, return_type, type_text,
    },
    reader::{Reader, hidden},
};

/// The most parameters of a step or a flow that a handler can take: there are so many impls of
/// `Takes`.
const MOST_PARAMS: usize = 32;

/// A handler as it was read.
pub(super) struct Handler {
    krate: TokenStream,
    /// The path of the step or the flow.
    pub(super) target: Path,
    pub(super) options: Options,
    pub(super) function: ItemFn,
    pub(super) params: Vec<Param>,
}

/// Reads a handler of a `target`, which is a "step" or a "flow". Returns `None` where nothing can
/// be generated, which has been reported.
pub(super) fn read(
    attr: &TokenStream,
    item: &TokenStream,
    role: &'static str,
    target: &str,
    errors: &mut Errors,
) -> Option<Handler> {
    let parsed = syn::parse::Parser::parse2(
        |input: ParseStream<'_>| {
            let path: Path = input.call(Path::parse_mod_style)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
            Ok((path, args::list(input)?))
        },
        attr.clone(),
    );
    let (path, args) = match parsed {
        Ok((path, args)) => (Some(path), args),
        Err(error) => {
            if attr.is_empty() {
                errors.at(
                    Span::call_site(),
                    format!("`#[{role}]` names its {target}: `#[{role}(name_of_the_{target})]`"),
                );
            } else {
                errors.push(error);
            }
            (None, Vec::<Arg>::new())
        }
    };
    let mut args = args;
    let krate = args::take_crate(&mut args, errors);
    let place = match role {
        "undo" => Place::Undo,
        "stop" => Place::Stop,
        _ => Place::Handler,
    };
    let options = Options::read(args, place, errors);
    let function = function::parse(item.clone(), role, errors)?;
    let params = function::params(&function, Role("handler"), errors);
    check_async(&function, &options, role, errors);
    let own = match role {
        "undo" => 1 + usize::from(options.before),
        "on_done" | "on_failed" | "on_check_in" => 1,
        _ => 0,
    };
    if let Some(param) = params.get(MOST_PARAMS)
        && params.len() > MOST_PARAMS + own
    {
        errors.on(
            &param.name,
            format!(
                "a {target} with handlers has at most {MOST_PARAMS} parameters: put several of them \
                 into one struct"
            ),
        );
    }
    Some(Handler {
        krate,
        target: path?,
        options,
        function,
        params,
    })
}

/// Splits off the last parameter, or reports that it is missing; `what` says what it is.
pub(super) fn last<'p>(
    handler: &Handler,
    params: &'p [Param],
    what: &str,
    errors: &mut Errors,
) -> Option<(&'p [Param], &'p Param)> {
    match params.split_last() {
        Some((last, rest)) => Some((rest, last)),
        None => {
            let inputs = &handler.function.sig.paren_token.span.join();
            errors.at(*inputs, format!("the last parameter is missing: {what}"));
            None
        }
    }
}

/// Reports a parameter after those of the step or the flow that is not taken by reference. Mostly it
/// is one of those, and the one for `what` is missing.
pub(super) fn by_reference(param: &Param, what: &str, errors: &mut Errors) {
    let owned = matches!(param.ty, Type::Path(_) | Type::Tuple(_) | Type::Array(_));
    // A path with a lifetime may be an alias for a reference.
    if owned && return_type::borrows(&param.ty).is_none() {
        errors.on(
            &param.ty,
            format!(
                "the last parameter is a reference to {what}: write one more after this, as in \
                 `output: &Output`; or, if this is it, write `&{}`",
                type_text::of(&param.ty)
            ),
        );
    }
}

/// Returns the whole output: the user's function, and the generated code if there are no errors.
/// An editor reads in its place what the attribute names, finished or not.
pub(super) fn assemble(
    (reader, attr): (Reader, &TokenStream),
    handler: Option<&Handler>,
    item: TokenStream,
    glue: Option<TokenStream>,
    errors: Errors,
) -> TokenStream {
    let failed = !errors.is_empty();
    let errors = errors.into_tokens();
    let glue = match reader {
        Reader::Compiler => glue.filter(|_| !failed),
        Reader::Editor => Some(named(attr, handler)),
    };
    // A handler takes by reference what it is given, whatever its size.
    let allow = function::allow_unused_async(&item)
        .unwrap_or_else(|| quote!(#[allow(clippy::trivially_copy_pass_by_ref)]));
    let item = match (&glue, syn::parse2::<ItemFn>(item.clone())) {
        (Some(_), Ok(mut function)) => {
            // It is the path of its target that is deprecated.
            lints::allow_expected(&mut function.attrs, |lint| lint.is_ident("deprecated"));
            quote!(#function)
        }
        _ => item,
    };
    quote!(#allow #item #glue #errors)
}

/// Returns the names in the attribute, as values: the target, even if its path is half-typed, and the
/// function in `when`.
fn named(attr: &TokenStream, handler: Option<&Handler>) -> TokenStream {
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let target = attr
        .clone()
        .into_iter()
        .take_while(|token| !is_comma(token));
    let target: TokenStream = target.collect();
    let when = handler.and_then(|handler| {
        let (krate, error) = (
            &handler.krate,
            match &handler.function.sig.output {
                ReturnType::Type(_, ty) => quote!(#ty),
                ReturnType::Default => quote!(()),
            },
        );
        let error = hidden(quote!(<#error as #krate::__private::HandlerReturn>::Error));
        handler.options.named(&error)
    });
    quote!(const _: () = { { let _ = #target; } #when };)
}

/// Returns the block around generated code.
pub(super) fn block(handler: &Handler, body: TokenStream) -> TokenStream {
    let krate = &handler.krate;
    let target = &handler.target;
    let lints = lints::carried(&handler.function.attrs);
    let allow = function::allow_in_glue();
    quote! {
        #lints
        #allow
        const _: () = {
            use #krate::__private as __p;
            type __Of = #target;
            #body
        };
    }
}

/// Returns a `let` that binds the arguments of the step or the flow to `args`, and what is in `then`
/// to `rest`, the handler's last parameters.
///
/// If their number is wrong, the compiler's error about `Takes` says so: at the first of the last
/// parameters, which was taken for something that it is not; without one, at the handler's name.
pub(super) fn take_apart(
    handler: &Handler,
    (args, rest): (&[Ident], &[Ident]),
    then: &TokenStream,
) -> TokenStream {
    let connection = usize::from(handler.options.transaction.is_some());
    let at = handler.params.get(connection + args.len());
    let at = at.map_or_else(|| handler.function.sig.ident.span(), Param::span);
    let span = Span::mixed_site().located_at(at);
    let mut count = proc_macro2::Literal::usize_unsuffixed(args.len());
    count.set_span(span);
    let given = Ident::new("__args", Span::call_site().located_at(at));
    // In a call of a path, the compiler would tell of the argument as well.
    let parts = quote_spanned! {span=>
        { let __apart = __p::Takes::<#count>::apart; __apart(#given, (#then)) }
    };
    quote!(let ((#(#args,)*), (#(#rest,)*)) = #parts;)
}

/// Returns the place for errors about the return type.
pub(super) fn output_span(handler: &Handler) -> Span {
    match &handler.function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => handler.function.sig.ident.span(),
    }
}
