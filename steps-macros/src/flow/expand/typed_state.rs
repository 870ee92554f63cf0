//! What users name outside of the flow: the typed state, and the references to steps.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::table::saved_name;
use crate::{
    case,
    flow::model::{Body, Flow, Line},
    item::{function, lints},
};

/// Returns the structs of all groups, and the alias for the typed state.
pub(super) fn typed_state(flow: &Flow) -> TokenStream {
    let name = &flow.function.sig.ident;
    let title = case::pascal(&name.to_string());
    let krate = &flow.krate;
    let vis = function::type_visibility(&flow.function.vis);
    let (state, fields) = (
        format_ident!("{title}State"),
        format_ident!("{title}Fields"),
    );
    let about = format!("The saved state of [`{name}()`], with a field for each of its steps.");
    let mut emit = Emit {
        flow,
        private: quote!(#krate::__private),
        out: Vec::new(),
    };
    emit.group(&flow.lines, &title, &[], "the flow");
    let structs = emit.out;
    let lints = lints::carried(&flow.function.attrs);
    quote! {
        #(#structs)*
        #[doc = #about]
        #lints
        #[allow(private_interfaces)]
        #vis type #state = #krate::FlowState<#fields>;
    }
}

struct Emit<'m> {
    flow: &'m Flow,
    private: TokenStream,
    out: Vec<TokenStream>,
}

impl Emit<'_> {
    /// Emits the structs of one group and of the groups in it.
    fn group(&mut self, lines: &[Line], title: &str, path: &[TokenStream], what: &str) {
        let mut rows = Rows::default();
        for line in lines {
            self.line(line, title, path, &mut rows);
        }
        self.structs(title, path, what, &rows);
    }

    fn structs(&mut self, title: &str, path: &[TokenStream], what: &str, rows: &Rows) {
        let private = &self.private;
        let vis = function::type_visibility(&self.flow.function.vis);
        let lints = lints::carried(&self.flow.function.attrs);
        let (fields, steps) = (
            format_ident!("{title}Fields"),
            format_ident!("{title}Steps"),
        );
        let Rows {
            names,
            docs,
            field_types,
            views,
            ref_types,
            refs,
        } = rows;
        let fields_doc = format!("The saved state of {what}, field by field.");
        let steps_doc = format!("References to the steps of {what}.");
        self.out.push(quote! {
            #[doc = #fields_doc]
            #[derive(Clone, Debug)]
            #lints
            #[allow(private_interfaces)]
            #vis struct #fields {
                #(#[doc = #docs] #[allow(dead_code)] pub #names: #field_types,)*
                __at: #private::Place,
            }
            #[allow(clippy::all, clippy::pedantic)]
            impl #fields {
                /// The saved node of the group itself.
                pub fn node(&self) -> #private::StepState<()> {
                    #private::View::view(#private::Clone::clone(&self.__at))
                }
            }
            #lints
            impl #private::View for #fields {
                fn view(at: #private::Place) -> Self {
                    Self { #(#names: #private::View::view(#views),)* __at: at }
                }
            }
            #[doc = #steps_doc]
            #[derive(Clone, Copy, Debug)]
            #lints
            #[allow(private_interfaces)]
            #vis struct #steps {
                #(#[doc = #docs] #[allow(dead_code)] pub #names: #ref_types,)*
                __node: #private::StepRef<()>,
            }
            #lints
            #[allow(clippy::all, clippy::pedantic)]
            impl #steps {
                pub(crate) const REFS: Self = Self {
                    #(#names: #refs,)*
                    __node: #private::StepRef::new(&[#(#path),*]),
                };
                /// A reference to the group itself.
                pub const fn node(&self) -> #private::StepRef<()> {
                    self.__node
                }
            }
        });
    }

    fn line(&mut self, line: &Line, title: &str, path: &[TokenStream], rows: &mut Rows) {
        let private = self.private.clone();
        let name = &line.name;
        let own_title = format!(
            "{title}{}",
            case::pascal(name.to_string().trim_start_matches("r#"))
        );
        let callee = match &line.body {
            Body::Step(call) => {
                let path = &call.path;
                quote!(#path)
            }
            Body::Flow(call) => {
                let path = &call.path;
                quote!(<#path as #private::Step>::AsFlow)
            }
            _ => TokenStream::new(),
        };
        let saved = saved_name(line, &private, &callee);
        let mut own_path = path.to_vec();
        own_path.push(saved.clone());
        let (field, view, reference, value) = match &line.body {
            Body::Step(_) => {
                let output = quote!(<#callee as #private::Step>::Output);
                (
                    quote!(#private::StepState<#output>),
                    quote!(at.child(#saved)),
                    quote!(#private::StepRef<#output>),
                    quote!(#private::StepRef::new(&[#(#own_path),*])),
                )
            }
            Body::Broken(_) => (
                quote!(#private::StepState<()>),
                quote!(at.child(#saved)),
                quote!(#private::StepRef<()>),
                quote!(#private::StepRef::new(&[#(#own_path),*])),
            ),
            Body::Flow(_) => (
                quote!(<#callee as #private::Flow>::Fields),
                quote!(at.child(#saved)),
                quote!(#private::StepRef<<#callee as #private::Flow>::Output>),
                quote!(#private::StepRef::new(&[#(#own_path),*])),
            ),
            Body::If {
                then,
                otherwise: Some(otherwise),
                ..
            } => {
                let what = format!("`{name}`");
                self.group(then, &format!("{own_title}Then"), &own_path, &what);
                self.group(otherwise, &format!("{own_title}Else"), &own_path, &what);
                self.branches(&own_title, &own_path, &what);
                struct_of(&own_title, &saved)
            }
            Body::For { lines, .. } | Body::Loop { lines, .. } => {
                own_path.push(quote!("*"));
                self.group(lines, &own_title, &own_path, &format!("each of `{name}`"));
                let (fields, steps) = pair(&own_title);
                (
                    quote!(#private::ItemStates<#fields>),
                    quote!(at.child(#saved)),
                    quote!(#steps),
                    quote!(#steps::REFS),
                )
            }
            Body::Group(lines) | Body::Parallel(lines) | Body::If { then: lines, .. } => {
                self.group(lines, &own_title, &own_path, &format!("`{name}`"));
                struct_of(&own_title, &saved)
            }
        };
        rows.names.push(name.clone());
        rows.docs.push(doc(line));
        rows.field_types.push(field);
        rows.views.push(view);
        rows.ref_types.push(reference);
        rows.refs.push(value);
    }

    /// Emits the structs of an `if` with an `else`: one field for each branch.
    fn branches(&mut self, title: &str, path: &[TokenStream], what: &str) {
        let mut rows = Rows::default();
        for (name, branch, about) in [
            ("then", "Then", "The lines that run if the condition holds."),
            (
                "otherwise",
                "Else",
                "The lines that run if the condition does not hold.",
            ),
        ] {
            let (fields, steps) = pair(&format!("{title}{branch}"));
            let private = &self.private;
            rows.names.push(format_ident!("{name}"));
            rows.docs.push(about.to_owned());
            rows.field_types.push(quote!(#fields));
            rows.views.push(quote!(#private::Clone::clone(&at)));
            rows.ref_types.push(quote!(#steps));
            rows.refs.push(quote!(#steps::REFS));
        }
        self.structs(title, path, what, &rows);
    }
}

fn struct_of(
    title: &str,
    saved: &TokenStream,
) -> (TokenStream, TokenStream, TokenStream, TokenStream) {
    let (fields, steps) = pair(title);
    (
        quote!(#fields),
        quote!(at.child(#saved)),
        quote!(#steps),
        quote!(#steps::REFS),
    )
}

fn pair(title: &str) -> (Ident, Ident) {
    (
        format_ident!("{title}Fields"),
        format_ident!("{title}Steps"),
    )
}

/// Returns the documentation of a field: the user's, or else a sentence about the line.
fn doc(line: &Line) -> String {
    let own: Vec<String> = line
        .docs
        .iter()
        .filter_map(|attr| match &attr.meta {
            syn::Meta::NameValue(meta) => match &meta.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    if !own.is_empty() {
        return own.join("\n");
    }
    let saved = &line.saved;
    format!("The line `{}`, saved as \"{saved}\".", line.name)
}

#[derive(Default)]
struct Rows {
    names: Vec<Ident>,
    docs: Vec<String>,
    field_types: Vec<TokenStream>,
    views: Vec<TokenStream>,
    ref_types: Vec<TokenStream>,
    refs: Vec<TokenStream>,
}
