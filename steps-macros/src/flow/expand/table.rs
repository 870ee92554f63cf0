//! The static table of a flow: its lines, by scope, and what is true of the whole.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    params,
    recorded::recorded,
    scope::Scope,
    slots::{self, callee, let_codec},
    uses,
};
use crate::{
    attr::{self, duration},
    flow::model::{AtOnce, Body, Call, ChildCall, Flow, Line},
    item::type_text,
};

/// Returns the name of a scope's table.
fn table(scope: &Scope<'_>) -> proc_macro2::Ident {
    format_ident!("__NODES{}", scope.id)
}

/// Returns the name of the constant with a step's handlers.
pub(super) fn handlers(scope: &Scope<'_>, line: usize) -> proc_macro2::Ident {
    format_ident!("__HANDLERS{}_{line}", scope.id)
}

/// Returns the name in the saved tree, as an expression. A call without a name of its own takes the
/// one in its step's `#[step(name = …)]`, if there is one.
pub(super) fn saved_name(line: &Line, private: &TokenStream, step: &TokenStream) -> TokenStream {
    let saved = &line.saved;
    if line.unnamed && line.options.name.is_none() && matches!(line.body, Body::Step(_)) {
        return quote!(#private::saved_name::<#step>(#saved));
    }
    quote!(#saved)
}

/// Returns the table of a scope, and the constants that it refers to.
pub(super) fn nodes(scope: &Scope<'_>, below: &[Vec<Scope<'_>>]) -> TokenStream {
    let own = table(scope);
    let mut constants = Vec::new();
    let nodes: Vec<TokenStream> = scope
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let of = callee(scope, index);
            let below = &below[index];
            let work = work(scope, index, line, below, &mut constants);
            let name = saved_name(line, &quote!(__p), &quote!(#of));
            let aliases = match &line.body {
                Body::Step(_) if line.unnamed && line.aliases.is_empty() => {
                    quote!(__p::saved_aliases::<#of>())
                }
                _ => {
                    let aliases = &line.aliases;
                    quote!(&[#(#aliases),*])
                }
            };
            let marks = marks(line);
            let uses = match scope.choice() {
                Some(_) => Vec::new(),
                None => uses::earlier(scope.lines, index),
            };
            let calls = match &line.body {
                Body::Step(call) | Body::Flow(call) => type_text::of(&called(&call.path)),
                _ => String::new(),
            };
            quote! {
                __p::Line {
                    name: #name,
                    aliases: #aliases,
                    calls: #calls,
                    uses: &[#(#uses),*],
                    marks: #marks,
                    work: #work,
                }
            }
        })
        .collect();
    quote! {
        #(#constants)*
        const #own: &'static [__p::Line] = &[#(#nodes),*];
    }
}

/// Returns the marks of a line.
fn marks(line: &Line) -> TokenStream {
    let (optional, caught, pivot, atomic) = (line.optional, line.caught, line.pivot, line.atomic);
    if !(optional || caught || pivot || atomic) && line.deadline.is_none() {
        return quote!(__p::Marks::NONE);
    }
    let deadline = attr::values::optional(line.deadline.clone());
    quote! {
        __p::Marks {
            optional: #optional,
            caught: #caught,
            pivot: #pivot,
            atomic: #atomic,
            deadline: #deadline,
        }
    }
}

fn work(
    scope: &Scope<'_>,
    index: usize,
    line: &Line,
    below: &[Scope<'_>],
    constants: &mut Vec<TokenStream>,
) -> TokenStream {
    let of = callee(scope, index);
    let first = below.first().map(table);
    match &line.body {
        Body::Step(call) => {
            let handlers = handlers(scope, index);
            constants.push(quote! {
                const #handlers: __p::Handlers<#of> = __p::Handlers {
                    undo: __p::Probe::<#of>::UNDO,
                    verify: __p::Probe::<#of>::VERIFY,
                    observe: __p::Probe::<#of>::OBSERVE,
                    stop: __p::Probe::<#of>::STOP,
                    check_in: __p::Probe::<#of>::CHECK_IN,
                };
            });
            if scope.flow.reversible {
                let (check, of) = reversible_as(scope, index, call);
                constants.push(reversible(scope, index, call, &check, &of));
            }
            for (at, option) in line.options.policy.iter().enumerate() {
                let name = format_ident!("__POLICY{}_{index}_{at}", scope.id);
                let mut at_option = of.clone();
                at_option.set_span(Span::mixed_site().located_at(option.span()));
                constants.push(quote!(const #name: () = __p::has_policy::<#at_option>();));
            }
            if let Some((text, why)) = no_duration(call) {
                let name = format_ident!("__DURATION{}_{index}", scope.id);
                let mut at_text = of.clone();
                at_text.set_span(Span::mixed_site().located_at(text.span()));
                constants.push(quote_spanned! {at_text.span()=>
                    const #name: () = __p::no_duration::<#at_text>(#why);
                });
            }
            let policy = line.options.has_policy().then(|| {
                let policy = line.options.policy();
                quote!(.with(#policy))
            });
            let shown = shown(&quote!(__p::Output<#of>));
            let shown = shown.map(|schema| quote!(.shown(#schema)));
            let given = given(call).map(|text| quote!(.of_type(#text)));
            quote!(__p::Work::Step(__p::StepMeta::of::<#of>(&#handlers) #given #shown #policy))
        }
        Body::Flow(call) => {
            if scope.flow.reversible {
                let check = quote!(reversible_flow);
                constants.push(reversible(scope, index, call, &check, &quote!(#of)));
            }
            let table = slots::nested_table(scope, index, call);
            quote!(__p::Work::Flow(#table))
        }
        Body::Let { ty, .. } => {
            let (codec, text) = (let_codec(scope, index), type_text::of(ty));
            let shown = shown(&quote!(#ty)).map(|schema| quote!(.shown(#schema)));
            quote! {
                __p::Work::Step(
                    __p::StepMeta::of_let(#text, |saved| __p::reads(saved, #codec)) #shown
                )
            }
        }
        Body::Broken(_) => quote!(__p::Work::Group(&[])),
        Body::Group(_) => quote!(__p::Work::Group(#first)),
        Body::Parallel(_) => quote!(__p::Work::Parallel(#first)),
        Body::Race(_) => quote!(__p::Work::Race(#first)),
        Body::Match { .. } => {
            let value = recorded(scope, index);
            quote!(__p::Work::Match { arms: #first, value: #value })
        }
        Body::If { otherwise, .. } => {
            let other = match otherwise {
                Some(_) => {
                    let other = table(&below[1]);
                    quote!(#other)
                }
                None => quote!(&[]),
            };
            let value = match recorded(scope, index) {
                Some(value) => quote!(__p::Option::Some(#value)),
                None => quote!(__p::Option::None),
            };
            quote!(__p::Work::If { then: #first, otherwise: #other, value: #value })
        }
        Body::For { at_once, .. } => {
            let at_once = match at_once {
                AtOnce::One => quote!(1),
                AtOnce::All => quote!(usize::MAX),
                AtOnce::Most(most) => quote_spanned!(most.span()=> __p::items_at_once(#most)),
            };
            let items = recorded(scope, index);
            quote!(__p::Work::For { body: #first, at_once: #at_once, items: #items })
        }
        Body::Loop {
            max, keep, lines, ..
        } => rounds(max.as_ref(), keep.as_ref(), lines, first.as_ref()),
    }
}

/// Returns what the table says of a `loop` whose lines have this table.
fn rounds(
    max: Option<&TokenStream>,
    keep: Option<&TokenStream>,
    lines: &[Line],
    first: Option<&proc_macro2::Ident>,
) -> TokenStream {
    let prev = uses::of_prev(lines);
    let max = max.map_or_else(
        || quote!(0),
        |max| quote_spanned!(max.span()=> __p::most_rounds(#max)),
    );
    let keep = keep.map_or_else(
        || quote!(0),
        |keep| quote_spanned!(keep.span()=> __p::kept_rounds(#keep, #first, &[#(#prev),*])),
    );
    quote! {
        __p::Work::Loop { body: #first, max: #max, keep: #keep, prev: &[#(#prev),*] }
    }
}

/// Returns the schema of a type, if the tables have schemas.
fn shown(ty: &TokenStream) -> Option<TokenStream> {
    cfg!(feature = "schemars").then(|| quote!(__p::Shows::<#ty>::SCHEMA))
}

/// Returns the same for a field of its own.
fn schema(ty: &TokenStream) -> TokenStream {
    shown(ty).unwrap_or_else(|| quote!(__p::Option::None))
}

/// Returns the text that a call of `sleep` is given, and why it is no duration, if it is none. Whether
/// that is the sleep of ours, its type says.
fn no_duration(call: &Call) -> Option<(syn::LitStr, String)> {
    if call.path.segments.last()?.ident != "sleep" || call.child.is_some() {
        return None;
    }
    let text: syn::LitStr = syn::parse2(call.args.clone()).ok()?;
    let why = duration::parse(&text.value()).err()?;
    Some((text, why))
}

/// Returns the path of what a line calls, without the types that it is given.
fn called(path: &syn::Path) -> syn::Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        segment.arguments = syn::PathArguments::None;
    }
    path
}

/// Returns the text of the type that a line gives to what it calls, as `signal::<bool>()` does.
fn given(call: &Call) -> Option<String> {
    match &call.path.segments.last()?.arguments {
        syn::PathArguments::AngleBracketed(given) => {
            let given = &given.args;
            Some(match &call.within {
                Some(_) => type_text::of(&quote!(Option<#given>)),
                None => type_text::of(given),
            })
        }
        _ => None,
    }
}

/// Returns how the step of a line is checked, and its type: of a child that is undone with the line, the
/// flow.
fn reversible_as(scope: &Scope<'_>, index: usize, call: &Call) -> (TokenStream, TokenStream) {
    if let Some(ChildCall::Start {
        detached: false, ..
    }) = call.child
    {
        let named = slots::named(scope, index);
        return (quote!(reversible_flow), quote!(__p::AsFlow<#named>));
    }
    let of = callee(scope, index);
    (quote!(reversible), quote!(#of))
}

/// Returns the constant that checks, at the path of a line's call, that what it names can stand in a
/// flow that is `reversible`.
fn reversible(
    scope: &Scope<'_>,
    index: usize,
    call: &Call,
    check: &TokenStream,
    of: &TokenStream,
) -> TokenStream {
    let span = Span::mixed_site().located_at(call.path.span());
    let at_path: TokenStream = of
        .clone()
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect();
    let name = format_ident!("__REVERSIBLE{}_{index}", scope.id);
    quote!(const #name: () = __p::#check::<#at_path>();)
}

/// Returns the table of the flow, whose lines have this table. `input` is the text of its input's type, if that
/// is not as it is written.
pub(super) fn flow_table(flow: &Flow, nodes: &TokenStream, input: Option<&str>) -> TokenStream {
    let name = &flow.name;
    let aliases = &flow.aliases;
    let on_failure = if flow.hold {
        quote!(Hold)
    } else {
        quote!(Undo)
    };
    let inputs = flow.inputs().into_iter();
    let inputs = inputs.enumerate().map(|(index, param)| {
        let name = param.name.to_string();
        let ty = input.map_or_else(|| type_text::of(&param.ty), str::to_owned);
        let codec = params::input_codec(index);
        let param_ty = &param.ty;
        let schema = schema(&quote!(#param_ty));
        let aliases = &param.aliases;
        quote! {
            __p::InputField {
                name: #name,
                aliases: &[#(#aliases),*],
                ty: #ty,
                check: |saved| __p::reads(saved, #codec),
                schema: #schema,
            }
        }
    });
    let output = flow.output.text();
    let schema = schema(&quote!(<__Out as __p::FlowOutput>::Given));
    let deadline = attr::values::optional(flow.deadline.clone());
    quote! {
        &__p::Table {
            name: #name,
            aliases: &[#(#aliases),*],
            input: &[#(#inputs),*],
            output: #output,
            check: |saved| __p::reads(saved, <__Out as __p::FlowOutput>::CODEC),
            schema: #schema,
            nodes: #nodes,
            on_failure: __p::OnFailure::#on_failure,
            deadline: #deadline,
            handlers: __p::FlowHandlers {
                done: __p::FlowProbe::<__Of>::ON_DONE.is_some(),
                failed: __p::FlowProbe::<__Of>::ON_FAILED.is_some(),
                stopped: __p::FlowProbe::<__Of>::ON_STOPPED.is_some(),
            },
        }
    }
}
