//! What an editor reads in place of a flow's code: the lines in a closure, as plain Rust with the
//! user's names. A half-typed line is there, too, with the names that it may use.
//!
//! An editor completes a name by expanding the flow a second time, with a mark at the end of what is
//! typed. It takes the first place where the mark is, and expects the text before it to be the same
//! both times. So the closure is emitted first, and what is derived from a line's tokens stands
//! after them. The only names in scope are the user's.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};

use super::{
    child::{child_type, methods},
    editor_value::Value,
    enter_code::anew,
    introduced::Introduces,
    scope::{Scope, cx},
    value::Outcome,
};
use crate::{
    case,
    flow::model::{Arm, Body, Call, ChildCall, Cond, Flow, Line, Within, in_parens},
    idents,
    reader::hidden,
};

/// Returns the closure with the lines and the code after `steps!`, and the types of the groups'
/// values.
pub(super) fn body(flow: &Flow) -> TokenStream {
    let krate = &flow.krate;
    let mut view = View {
        flow,
        private: quote!(#krate::__private),
        groups: Vec::new(),
    };
    let root = Scope::root(flow);
    let before = view.before();
    let parts = view.lines(&root);
    let names = flow.lines.iter().map(|line| &line.name);
    let values = parts.types.iter().map(|ty| &ty.outside);
    let (private, lines, groups) = (&view.private, &parts.lines, &view.groups);
    let inputs = &flow.function.sig.inputs;
    let output = &flow.function.sig.output;
    let tail = &flow.tail;
    quote! {
        #[allow(warnings, clippy::all, clippy::pedantic)]
        const _: () = {
            use #private::{
                BindRef as _, ListOwned as _, ListRef as _, LookOption as _, LookOwned as _,
                LookRef as _, OnceAny as _,
            };
            let _ = async |#inputs| #output {
                let (#(#names,)*) = {
                    #before
                    #lines
                    (#(#private::editor::value::<#values>(),)*)
                };
                #tail
            };
        };
        #[allow(warnings)]
        const _: () = {
            use #private as __p;
            #(#groups)*
        };
    }
}

/// Gives the name of a line without one a place of its own: at the parenthesis after what it calls.
pub(super) fn place_names(lines: &mut [Line]) {
    for line in lines {
        if let (true, Body::Step(call) | Body::Flow(call)) = (line.unnamed, &line.body) {
            line.name.set_span(call.paren.open());
        }
        for lines in line.groups_mut() {
            place_names(lines);
        }
    }
}

struct View<'m> {
    flow: &'m Flow,
    private: TokenStream,
    /// The structs of the groups' values, in the order of their numbers.
    groups: Vec<TokenStream>,
}

/// The lines of a group, and the types of their values.
struct Lines {
    lines: TokenStream,
    types: Vec<Value>,
}

impl View<'_> {
    /// Returns the statements before all lines: inputs are seen as lines see them.
    fn before(&self) -> TokenStream {
        let private = &self.private;
        let inputs = self.flow.inputs().into_iter();
        let names = inputs.filter_map(|param| {
            let is_name = param.name == param.pat.to_string();
            is_name.then_some(&param.name)
        });
        let cx = cx();
        quote! {
            let #cx = #private::editor::value::<&#private::Cx>();
            #(let #names = #private::Bind(&#names).get();)*
        }
    }

    /// Returns the lines of a scope.
    fn lines(&mut self, scope: &Scope<'_>) -> Lines {
        let (mut lines, mut types) = (TokenStream::new(), Vec::new());
        for index in 0..scope.lines.len() {
            let (line, ty) = self.line(scope, index);
            // Those of a race do not see each other.
            lines.extend(match (scope.introduces, &scope.lines[index].arm) {
                (Introduces::Arms, Some(arm)) => self.arm(arm, &line),
                (Introduces::Arms, None) => quote!(_ => { #line }),
                _ if scope.choice().is_some() => quote!({ #line }),
                _ => line,
            });
            types.push(ty);
        }
        Lines { lines, types }
    }

    /// Returns an arm of a `match`, with this line in it.
    fn arm(&self, arm: &Arm, line: &TokenStream) -> TokenStream {
        let Arm { pat, guard } = arm;
        let private = &self.private;
        let bound = idents::bound(pat);
        let bound = quote!(#(let #bound = #private::Bind(#bound).get();)*);
        let guard = guard.as_ref().map(|guard| quote!(if { #bound #guard }));
        quote!(#pat #guard => { #bound #line })
    }

    /// Returns the statement of a line, and the type of its value.
    fn line(&mut self, scope: &Scope<'_>, index: usize) -> (TokenStream, Value) {
        let private = self.private.clone();
        let line = &scope.lines[index];
        let name = &line.name;
        let outcome = Outcome::of(line);
        let bound = |value: &TokenStream| {
            let value = outcome.done(&private, value);
            quote!(let #name = #private::Bind(#private::editor::lent(#value)).get();)
        };
        let (statement, plain) = match &line.body {
            Body::Step(call) | Body::Flow(call) => {
                let (value, ty) = self.call(call);
                (bound(&value), ty)
            }
            Body::Let { ty, value, .. } => {
                let value = quote! {
                    #private::editor::evaluated(
                        || #private::Result::Ok(#private::editor::typed::<#ty>(#value))
                    )
                };
                (bound(&value), Value::plain(hidden(quote!(#ty))))
            }
            Body::Broken(tokens) => (
                quote!(let #name = #private::editor::unfinished({ #tokens });),
                Value::plain(quote!(())),
            ),
            _ => {
                let (lines, ty) = self.groups(scope, index);
                let ty_of_line = outcome.value(&private, &ty.outside);
                (
                    quote! {
                        let #name = #private::editor::lent({
                            #lines
                            #private::editor::value::<#ty_of_line>()
                        });
                    },
                    ty,
                )
            }
        };
        let error = match &line.body {
            Body::Step(Call { path, .. }) => hidden(quote!(#private::Error<#path>)),
            _ => quote!(()),
        };
        let options = line.options.named(&error);
        let ty = plain.map(|plain| outcome.value(&private, plain));
        (quote!(#statement #options), ty)
    }

    /// Returns the value of a call, and its type.
    fn call(&self, call: &Call) -> (TokenStream, Value) {
        let Call {
            path,
            args,
            paren,
            within,
            child,
        } = call;
        let private = &self.private;
        if let Some(child) = child {
            return self.child(call, child);
        }
        let group = in_parens(args, paren);
        let (callee, limit) = match within {
            None => (hidden(quote!(#path)), TokenStream::new()),
            Some(Within { word, types, limit }) => (
                hidden(quote!(#private::signal_within<#types>)),
                quote!(.#word(#limit)),
            ),
        };
        let function = beside_locals(quote!(#path));
        (
            quote! {
                #private::editor::called(#function #group #limit, #private::editor::of::<#callee>())
            },
            Value::plain(quote!(#private::Output<#callee>)),
        )
    }

    /// Returns the value of a line about a child execution, and its type.
    fn child(&self, call: &Call, child: &ChildCall) -> (TokenStream, Value) {
        let private = &self.private;
        let (path, args) = (&call.path, &call.args);
        let of = hidden(child_type(child, &quote!(#path), private));
        let written = match child {
            ChildCall::Start { options, .. } => {
                let (function, flow) = (beside_locals(quote!(#path)), hidden(quote!(#path)));
                let options = methods(options);
                let group = in_parens(args, &call.paren);
                quote! {
                    let _ = #function;
                    let _ = #private::start_child::call(cx, #flow::input #group) #options;
                }
            }
            ChildCall::Join { .. } => quote!(let _ = &(#args);),
        };
        (
            quote!({ #written #private::editor::value::<#private::Output<#of>>() }),
            Value::plain(quote!(#private::Output<#of>)),
        )
    }

    /// Returns the lines of a line's groups, with what decides about them, and the type of the line's
    /// value.
    fn groups(&mut self, scope: &Scope<'_>, index: usize) -> (TokenStream, Value) {
        let private = self.private.clone();
        let line = &scope.lines[index];
        let below = scope.below(index);
        let mut inner: Vec<(TokenStream, Value)> =
            below.iter().map(|scope| self.group(scope)).collect();
        let other = (inner.len() > 1).then(|| inner.pop()).flatten();
        let (lines, value) = inner.pop().unwrap_or_default();
        let bound: TokenStream = match below.first().map(|scope| scope.introduces) {
            Some(Introduces::Item(pat) | Introduces::Match(pat)) => idents::bound(pat)
                .iter()
                .map(|name| quote!(let #name = #private::Bind(#name).get();))
                .collect(),
            _ => TokenStream::new(),
        };
        match &line.body {
            Body::If { cond, .. } => {
                let cond = match cond {
                    Cond::Is(cond) => quote!(#cond),
                    Cond::Let { pat, value } => {
                        let anew = anew(scope, index, value);
                        quote! {
                            let #pat = #private::editor::got(
                                #private::Source::one(|| #value) #anew.look(#private::Option::None)
                            ).view()
                        }
                    }
                };
                let (otherwise, ty) = match other {
                    Some((lines, other)) => {
                        let of = |one: &TokenStream, other| quote!(#private::Branch<#one, #other>);
                        let ty = Value {
                            outside: of(&value.outside, &other.outside),
                            inside: of(&value.inside, &other.inside),
                        };
                        (quote!(else { #lines }), ty)
                    }
                    None => {
                        let of = |one: &TokenStream| quote!(#private::Option<#one>);
                        (TokenStream::new(), value.map(of))
                    }
                };
                (quote!(if #cond { #bound #lines } #otherwise), ty)
            }
            Body::For { pat, list, key, .. } => {
                let anew = anew(scope, index, list);
                let lines = quote! {
                    match #private::editor::got(
                        #private::Source::each(|| #private::Once(#list).get()) #anew
                            .list(#private::Option::None)
                    ).at(0) {
                        #pat => { #bound let _ = &#key; #lines }
                    }
                };
                (lines, value.map(|item| quote!(#private::Vec<#item>)))
            }
            Body::Match { value: matched, .. } => {
                let anew = anew(scope, index, matched);
                let lines = quote! {
                    match #private::editor::got(
                        #private::Source::one(|| #matched) #anew.look(#private::Option::None)
                    ).view() { #lines }
                };
                (lines, value)
            }
            Body::Loop { until, .. } => {
                let prev = Ident::new("prev", Span::call_site());
                let round = &value.outside;
                let lines = quote! {
                    let #prev = #private::editor::value::<#private::Option<&#round>>();
                    #lines
                    #private::editor::typed::<bool>(#until);
                };
                (lines, value)
            }
            _ => (lines, value),
        }
    }

    /// Returns the lines of a group, and the type of its value, a struct of its own.
    fn group(&mut self, scope: &Scope<'_>) -> (TokenStream, Value) {
        let Lines { lines, types } = self.lines(scope);
        let private = &self.private;
        let flow = hidden({
            let name = &self.flow.function.sig.ident;
            quote!(#name)
        });
        let number = self.groups.len();
        let title = scope.value();
        if let Some(choice) = scope.choice() {
            let known = scope.lines.iter().zip(types);
            let known = known.filter(|(line, _)| !line.is_lost());
            let types = known.map(|(_, ty)| ty.inside);
            self.groups.push(quote! {
                type #title = #choice<#(#types),*>;
                impl __p::FlowValue for #title {}
                impl<V> __p::editor::Groups<#number> for #flow where #title: __p::Same<Type = V> {
                    type Value = V;
                }
            });
            let value = Value {
                outside: quote!(<#flow as #private::editor::Groups<#number>>::Value),
                inside: quote!(#title),
            };
            return (lines, value);
        }
        let (mut params, mut fields) = (Vec::new(), Vec::new());
        for (line, Value { inside: ty, .. }) in scope.lines.iter().zip(types) {
            let name = &line.name;
            if line.is_lost() {
                continue;
            }
            // An editor shows the type of a field as it is written. A parameter's it shows as it is.
            if matches!(line.body, Body::Step(_) | Body::Flow(_)) {
                let plain = name.to_string();
                let param = format_ident!("{}Output", case::pascal(&plain));
                params.push(quote!(#param = #ty));
                fields.push(quote!(pub #name: #param));
            } else {
                fields.push(quote!(pub #name: #ty));
            }
        }
        self.groups.push(quote! {
            pub struct #title<#(#params),*> { #(#fields),* }
            impl __p::FlowValue for #title {}
            // Its types may be private ones: see `step`.
            impl<V> __p::editor::Groups<#number> for #flow where #title: __p::Same<Type = V> {
                type Value = V;
            }
        });
        let value = Value {
            outside: quote!(<#flow as #private::editor::Groups<#number>>::Value),
            inside: quote!(#title),
        };
        (lines, value)
    }
}

/// Returns a path such that it can't name a local: a line may have the name of a function that a later
/// line calls.
fn beside_locals(path: TokenStream) -> TokenStream {
    let set = |mut token: TokenTree| {
        if !matches!(token, TokenTree::Group(_)) {
            token.set_span(Span::mixed_site().located_at(token.span()));
        }
        token
    };
    path.into_iter().map(set).collect()
}
