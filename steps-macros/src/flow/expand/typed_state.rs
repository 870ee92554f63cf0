//! What users name outside of the flow: the typed state, and the references to steps.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{child::child_type, choice, table::saved_name};
use crate::{
    case,
    flow::model::{Body, Flow, Line, Within},
    item::{function, lints},
    reader::{Reader, hidden},
};

/// Returns the structs of all groups, and the alias for the typed state.
pub(super) fn typed_state(flow: &Flow, reader: Reader) -> TokenStream {
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
        reader,
        private: quote!(#krate::__private),
        out: Vec::new(),
    };
    let root = Place {
        title,
        path: Vec::new(),
        loops: 0,
    };
    emit.group(&flow.lines, &root, "the flow");
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

/// A group of lines: the beginning of its types' names, its path, and how many `for`s and `loop`s it
/// is in.
struct Place {
    title: String,
    path: Vec<TokenStream>,
    loops: usize,
}

impl Place {
    /// Returns the place of the lines of a branch.
    fn branch(&self, name: &str) -> Self {
        Self {
            title: format!("{}{name}", self.title),
            path: self.path.clone(),
            loops: self.loops,
        }
    }

    /// Returns the place of the lines of each item or round.
    fn each(mut self, private: &TokenStream) -> Self {
        self.path.push(quote!(#private::RefPath::KEY));
        self.loops += 1;
        self
    }

    /// Returns the type that says in how many `for`s and `loop`s a line is.
    fn loops(&self, private: &TokenStream) -> TokenStream {
        let outside = quote!(<P as #private::Within>::Loops);
        (0..self.loops).fold(outside, |loops, _| quote!(#private::InLoop<#loops>))
    }
}

struct Emit<'m> {
    flow: &'m Flow,
    reader: Reader,
    private: TokenStream,
    out: Vec<TokenStream>,
}

impl Emit<'_> {
    /// Emits the structs of one group and of the groups in it.
    fn group(&mut self, lines: &[Line], place: &Place, what: &str) {
        let mut rows = Rows::default();
        for line in lines.iter().filter(|line| !line.is_lost()) {
            self.line(line, place, &mut rows);
        }
        self.structs(place, what, &rows);
    }

    fn structs(&mut self, place: &Place, what: &str, rows: &Rows) {
        let private = &self.private;
        let vis = function::type_visibility(&self.flow.function.vis);
        let lints = lints::carried(&self.flow.function.attrs);
        let (fields, steps) = pair(&place.title);
        let path = &place.path;
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
        let (at, within, node, view, all) = match self.reader {
            Reader::Compiler => (
                quote!(__at: #private::Place,),
                quote!(__within: #private::PhantomData<P>,),
                quote!(#private::View::view(#private::Clone::clone(&self.__at))),
                quote!(Self { #(#names: #private::View::view(#views),)* __at: at }),
                quote!(Self { #(#names: #refs,)* __within: #private::PhantomData }),
            ),
            // It would offer the other fields. Only a compiler that checks what editors read misses
            // the one for `P`.
            Reader::Editor => {
                let never = quote!(#private::unreachable!());
                let checked = cfg!(rust_analyzer);
                let within = checked.then(|| quote!(__within: #private::PhantomData<P>,));
                let none = checked.then(|| quote!(__within: #private::PhantomData,));
                (
                    quote!(),
                    quote!(#within),
                    never.clone(),
                    never,
                    quote!(Self { #(#names: #refs,)* #none }),
                )
            }
        };
        self.out.push(quote! {
            #[doc = #fields_doc]
            #[derive(Clone, Debug)]
            #lints
            #[allow(private_interfaces)]
            #vis struct #fields {
                #(#[doc = #docs] #[allow(dead_code)] pub #names: #field_types,)*
                #at
            }
            #[allow(clippy::all, clippy::pedantic)]
            impl #fields {
                /// The saved node of the group itself.
                pub fn node(&self) -> #private::StepState<()> {
                    #node
                }
            }
            #lints
            impl #private::View for #fields {
                fn view(at: #private::Place) -> Self {
                    #view
                }
            }
            #[doc = #steps_doc]
            #[derive(Clone, Copy, Debug)]
            #lints
            #[allow(private_interfaces)]
            #vis struct #steps<P: #private::Within = #private::AtRoot> {
                #(#[doc = #docs] #[allow(dead_code)] pub #names: #ref_types,)*
                #within
            }
            #lints
            #[allow(clippy::all, clippy::pedantic)]
            impl<P: #private::Within> #steps<P> {
                #[doc(hidden)]
                pub const REFS: Self = #all;
                /// A reference to the group itself.
                pub const fn node(&self) -> #private::StepRef<()> {
                    #private::StepRef::new(P::PATH, &[#(#path),*])
                }
            }
        });
    }

    /// Returns the type of what a line calls.
    fn callee(&self, line: &Line) -> TokenStream {
        let private = &self.private;
        // In parentheses a path is a type: without, the name of a function would be taken for a constant,
        // which is a second error.
        let callee = match &line.body {
            Body::Step(call) => {
                let path = &call.path;
                match (&call.within, &call.child) {
                    (_, Some(child)) => child_type(child, &quote!((#path)), private),
                    (None, None) => quote!((#path)),
                    (Some(Within { types, .. }), None) => quote!(#private::signal_within<#types>),
                }
            }
            Body::Flow(call) => {
                let path = &call.path;
                quote!(#private::AsFlow<(#path)>)
            }
            _ => TokenStream::new(),
        };
        // What is derived from a path or a type is not where the user wrote it.
        match self.reader {
            Reader::Compiler => callee,
            Reader::Editor => hidden(callee),
        }
    }

    fn line(&mut self, line: &Line, place: &Place, rows: &mut Rows) {
        let private = self.private.clone();
        let name = &line.name;
        let what = format!("`{name}`");
        let callee = self.callee(line);
        let saved = saved_name(line, &private, &callee);
        let plain = name.to_string();
        let mut own = place.branch(&case::pascal(plain.trim_start_matches("r#")));
        own.path.push(saved.clone());
        let path = &own.path;
        let at_path = quote!(P::PATH, &[#(#path),*]);
        let (field, reference, value) = match &line.body {
            Body::Step(_) => {
                let output = quote!(#private::Output<#callee>);
                let loops = own.loops(&private);
                let reference = quote!(#private::Ref<#callee, #loops>);
                (
                    quote!(#private::StepState<#output>),
                    reference.clone(),
                    quote!(<#reference>::new(#at_path)),
                )
            }
            Body::Let { ty, .. } => {
                let ty = match self.reader {
                    Reader::Compiler => quote!(#ty),
                    Reader::Editor => hidden(quote!(#ty)),
                };
                (
                    quote!(#private::StepState<#ty>),
                    quote!(#private::StepRef<#ty>),
                    quote!(#private::StepRef::new(#at_path)),
                )
            }
            Body::Broken(_) => (
                quote!(#private::StepState<()>),
                quote!(#private::StepRef<()>),
                quote!(#private::StepRef::new(#at_path)),
            ),
            Body::Flow(call) => {
                // A flow that is part of itself is an error already; its references have no end.
                let steps = if call.path.is_ident(&self.flow.function.sig.ident) {
                    quote!(#private::NoSteps)
                } else {
                    let within = self.within(&own);
                    quote!(<#callee as #private::Flow>::Steps<#within<P>>)
                };
                let output = quote!(<#callee as #private::Flow>::Output);
                (
                    quote!(<#callee as #private::Flow>::Fields),
                    quote!(#private::FlowRef<#output, #steps>),
                    quote!(#private::FlowRef::new(#private::StepRef::new(#at_path), <#steps>::REFS)),
                )
            }
            Body::If {
                then,
                otherwise: Some(otherwise),
                ..
            } => {
                self.group(then, &own.branch("Then"), &what);
                self.group(otherwise, &own.branch("Else"), &what);
                self.branches(&own, &what);
                struct_of(&own)
            }
            Body::For { lines, .. } | Body::Loop { lines, .. } => {
                own = own.each(&private);
                self.group(lines, &own, &format!("each of {what}"));
                let (fields, reference, value) = struct_of(&own);
                (quote!(#private::ItemStates<#fields>), reference, value)
            }
            Body::Race(lines) | Body::Match { arms: lines, .. } => {
                self.group(lines, &own, &what);
                self.out.push(choice::item(
                    self.flow, &own.title, &what, &line.body, lines,
                ));
                struct_of(&own)
            }
            Body::Group(lines) | Body::Parallel(lines) | Body::If { then: lines, .. } => {
                self.group(lines, &own, &what);
                struct_of(&own)
            }
        };
        rows.names.push(name.clone());
        rows.docs.push(doc(line));
        rows.field_types.push(field);
        rows.views.push(quote!(at.child(#saved)));
        rows.ref_types.push(reference);
        rows.refs.push(value);
    }

    /// Emits the type that says where the flow of a line stands, and returns its name.
    fn within(&mut self, line: &Place) -> Ident {
        let private = &self.private;
        let vis = function::type_visibility(&self.flow.function.vis);
        let lints = lints::carried(&self.flow.function.attrs);
        let name = format_ident!("{}Within", line.title);
        let (path, loops) = (&line.path, line.loops(private));
        self.out.push(quote! {
            #[doc(hidden)]
            #[derive(Clone, Copy, Debug)]
            #lints
            #vis struct #name<P>(#private::PhantomData<P>);
            #lints
            impl<P: #private::Within> #private::Within for #name<P> {
                type Loops = #loops;
                const PATH: &'static #private::RefPath =
                    &#private::RefPath::new(P::PATH, &[#(#path),*]);
            }
        });
        name
    }

    /// Emits the structs of an `if` with an `else`: one field for each branch.
    fn branches(&mut self, place: &Place, what: &str) {
        let mut rows = Rows::default();
        for (name, branch, about) in [
            ("then", "Then", "The lines that run if the condition holds."),
            (
                "otherwise",
                "Else",
                "The lines that run if the condition does not hold.",
            ),
        ] {
            let private = &self.private;
            let (fields, reference, value) = struct_of(&place.branch(branch));
            rows.names.push(format_ident!("{name}"));
            rows.docs.push(about.to_owned());
            rows.field_types.push(fields);
            rows.views.push(quote!(#private::Clone::clone(&at)));
            rows.ref_types.push(reference);
            rows.refs.push(value);
        }
        self.structs(place, what, &rows);
    }
}

/// Returns the types of a group's fields and references, and the value of the latter.
fn struct_of(place: &Place) -> (TokenStream, TokenStream, TokenStream) {
    let (fields, steps) = pair(&place.title);
    (
        quote!(#fields),
        quote!(#steps<P>),
        quote!(#steps::<P>::REFS),
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
