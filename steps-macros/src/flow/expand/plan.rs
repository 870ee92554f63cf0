//! What is emitted for a `#[plan]`: a flow whose table has the steps that a plan may have, and the functions that
//! call them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    block_of, entry,
    flow_impl::{self, Inside},
    line_code::{call_tokens, end},
    plan_items,
    scope::{Scope, cx, local},
    slots::{aliases_of, callee, named},
    table,
};
use crate::{
    flow::model::{Body, Call, Health, Line, Plan, PlanArg, Within},
    idents::Names,
    item::type_text,
    reader::{Reader, hidden},
};

/// How many groups of a plan may be within each other, as in `model/table/planned` of the core.
const MAX_GROUPS: usize = 8;

/// Returns everything that is generated for a plan.
pub(in crate::flow) fn expand(plan: &Plan, reader: Reader) -> TokenStream {
    let flow = &plan.flow;
    let is_whole = flow.health == Health::Whole && reader == Reader::Compiler;
    let glue = if is_whole {
        whole(plan)
    } else {
        let broken = flow_impl::broken(flow, reader, &quote!(__p::PlanSlots));
        let planned = broken_planned();
        quote!(#broken #planned)
    };
    let gives = gives(plan);
    let glue = quote!(#glue #gives);
    let block = block_of(flow, &glue);
    let entry = entry::entry(flow, reader, &docs(plan));
    let own = plan_items::own_items(plan, reader);
    let typed = plan_items::typed_state(plan);
    match reader {
        Reader::Compiler => quote!(#entry #block #own #typed),
        Reader::Editor => {
            let (block, lines) = (hidden(block), plan_items::editor_lines(plan));
            quote!(#lines #entry #block #own #typed)
        }
    }
}

/// Returns the items of a plan without errors.
fn whole(plan: &Plan) -> TokenStream {
    let scope = Scope::root(&plan.flow);
    let count = plan.flow.lines.len();
    let below: Vec<Vec<Scope<'_>>> = (0..count).map(|_| Vec::new()).collect();
    let nodes = table::nodes(&scope, &below);
    let codecs = codecs(plan);
    let levels = levels();
    let planned = planned(plan, &scope);
    let implementation = flow_impl::of(
        &plan.flow,
        &Inside {
            nodes: quote!(__PLAN),
            input: Some(input_text(plan)),
            slots: quote!(__p::PlanSlots),
            call: quote!(__p::no_call()),
            enter: quote!(__p::enter_plan(frame, how)),
            finish: finish(plan),
        },
    );
    quote!(#nodes #codecs #levels #planned #implementation)
}

/// Returns the types of the steps, and what each gives. A step may be private where the plan is not, and so may
/// not be named in the functions of the plan's type, nor in an associated type.
fn gives(plan: &Plan) -> TokenStream {
    let scope = Scope::root(&plan.flow);
    let each = (0..plan.flow.lines.len()).map(|index| {
        let of = callee(&scope, index);
        let alias = aliases_of(&scope, index, &of);
        quote! {
            #alias
            impl __p::Gives<#index> for __Gives { type Output = __p::Output<#of>; }
            impl<O> __p::Gives<#index> for __Of where __Gives: __p::Gives<#index, Output = O> {
                type Output = O;
            }
        }
    });
    quote! {
        struct __Gives;
        #(#each)*
    }
}

/// Returns the name of the type of an argument, and that of its codec.
fn of_arg(line: usize, arg: usize) -> (Ident, Ident) {
    (
        format_ident!("__A{line}_{arg}"),
        format_ident!("__ARG{line}_{arg}"),
    )
}

/// Returns the arguments that the plan gives, with their numbers among those.
pub(super) fn given(
    args: &[PlanArg],
) -> impl Iterator<Item = (usize, &Ident, &syn::Type, &syn::Type)> {
    let given = args.iter().filter_map(|arg| match arg {
        PlanArg::Given { name, ty, owned } => Some((name, &**ty, &**owned)),
        PlanArg::Lent(_) => None,
    });
    given
        .enumerate()
        .map(|(index, (name, ty, owned))| (index, name, ty, owned))
}

/// Returns the types and the codecs of all arguments. Only here is the compiler asked whether they can be
/// read.
fn codecs(plan: &Plan) -> TokenStream {
    let mut all = TokenStream::new();
    for (line, args) in plan
        .flow
        .lines
        .iter()
        .map(|line| plan.args_of(line))
        .enumerate()
    {
        for (index, _, ty, owned) in given(args) {
            let (alias, codec) = of_arg(line, index);
            let made = quote_spanned!(ty.span()=> __p::input_codec::<#owned>());
            all.extend(quote! {
                type #alias = #owned;
                const #codec: __p::Codec<#alias> = #made;
            });
        }
    }
    all
}

/// Returns the lines of the plan: those of each level of groups refer to those of the level below.
fn levels() -> TokenStream {
    let mut all = quote!(
        const __STEPS: usize = __NODES0.len();
    );
    for level in (0..=MAX_GROUPS).rev() {
        let (arms, body) = (
            format_ident!("__ARMS{level}"),
            format_ident!("__BODY{level}"),
        );
        let (more, below) = if level == MAX_GROUPS {
            (quote!(2), quote!(__p::Option::None))
        } else {
            let below = format_ident!("__BODY{}", level + 1);
            (quote!(3), quote!(__p::Option::Some(&#below)))
        };
        all.extend(quote! {
            const #arms: [__p::Line; __STEPS + #more] = __p::plan_arms(__NODES0, #below);
            const #body: [__p::Line; 1] = [__p::plan_runs(&#arms)];
        });
    }
    quote! {
        #all
        const __PLAN: &'static [__p::Line] = &[__p::plan_whole(&__BODY0)];
    }
}

/// Returns the implementation of `Planned`, and the function of each line.
fn planned(plan: &Plan, scope: &Scope<'_>) -> TokenStream {
    let mut functions = TokenStream::new();
    let mut calls = TokenStream::new();
    let mut registered = Vec::new();
    for (index, line) in plan.flow.lines.iter().enumerate() {
        let Body::Step(call) = &line.body else {
            continue;
        };
        let (of, name) = (callee(scope, index), format_ident!("__step{index}"));
        functions.extend(step_function(plan, scope, (index, line, call), &name));
        calls.extend(quote!(#index => #name(lent, given, op, cx, slot),));
        let params = given(plan.args_of(line)).map(|(at, name, ty, _)| {
            let (_, codec) = of_arg(index, at);
            let (name, ty) = (plain(name), type_text::of(ty));
            quote! {
                __p::Param { name: #name, ty: #ty, check: |saved| __p::reads(saved, #codec) }
            }
        });
        registered.push(quote! {
            __p::Registered { params: &[#(#params),*], load: __p::load_planned::<#of> }
        });
    }
    quote! {
        #functions
        impl __p::Planned for __Of {
            const LINES: &'static [__p::Line] = __NODES0;
            const STEPS: &'static [__p::Registered] = &[#(#registered),*];
            fn tree(input: &__Input) -> &__p::Tree { input.plan.tree() }
            fn step<'b>(
                lent: __Lent<'b>, step: usize, given: __p::Given<'b>, op: __p::Op<'b>, cx: &'b __p::Cx,
                slot: &'b __p::PlanSlot,
            ) -> __p::BoxFuture<'b, __p::OpResult> {
                match step { #calls _ => __p::no_call() }
            }
        }
    }
}

/// Returns the name as it is in a plan's JSON.
fn plain(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

/// Returns the function that carries out an operation of a line.
fn step_function(
    plan: &Plan,
    scope: &Scope<'_>,
    (index, line, call): (usize, &Line, &Call),
    name: &Ident,
) -> TokenStream {
    let args = plan.args_of(line);
    let of = callee(scope, index);
    let handlers = table::handlers(scope, index);
    let when = line.options.when();
    let cx = cx();
    let used = args.iter().filter_map(|arg| match arg {
        PlanArg::Lent(tokens) => Some(Names::of(tokens)),
        PlanArg::Given { .. } => None,
    });
    let used = used.fold(Names::default(), Names::and);
    // Each may be the name of an argument, too.
    let [own_lent, own_given, own_op, own_slot] = ["lent", "given", "op", "slot"].map(local);
    let lent = plan.flow.lent().into_iter();
    let lent = lent.filter(|param| used.contains(&param.name.to_string()));
    let lent = lent.map(|param| {
        let name = &param.name;
        quote!(let #name = #own_lent.#name;)
    });
    let mut reads = TokenStream::new();
    let mut passed = Vec::new();
    for arg in args {
        if let PlanArg::Lent(tokens) = arg {
            passed.push(tokens.clone());
        }
        let PlanArg::Given { name, ty, .. } = arg else {
            continue;
        };
        let number = passed_by_plan(args, name);
        let (alias, codec) = of_arg(index, number);
        reads.extend(quote!(let #name: #alias = #own_given.get(#number, #codec)?;));
        passed.push(match &**ty {
            syn::Type::Reference(_) => {
                let and = syn::Token![&](name.span());
                quote!(#and #name)
            }
            _ => quote!(#name),
        });
    }
    let passed = quote!(#(#passed),*);
    let called = match &call.within {
        None => call_tokens(&of, call, &passed),
        Some(Within { word, limit, .. }) => {
            let called = call_tokens(&named(scope, index), call, &passed);
            quote!(#called.#word(#limit))
        }
    };
    let called = quote_spanned!(end(call)=> __p::step_call::<#of, _>(#called));
    quote! {
        fn #name<'b>(
            #own_lent: __Lent<'b>, #own_given: __p::Given<'b>, #own_op: __p::Op<'b>,
            #cx: &'b __p::Cx, #own_slot: &'b __p::PlanSlot,
        ) -> __p::BoxFuture<'b, __p::OpResult> {
            __p::boxed(async move {
                #(#lent)*
                #reads
                __p::drive(#own_op, #cx, #called, #own_slot, &#handlers, #when).await
            })
        }
    }
}

/// Returns the number of an argument among those that the plan gives.
fn passed_by_plan(args: &[PlanArg], name: &Ident) -> usize {
    let at = given(args).position(|(_, other, ..)| other == name);
    at.unwrap_or_default()
}

/// Returns the implementation of `Planned` for a plan with errors.
fn broken_planned() -> TokenStream {
    quote! {
        impl __p::Planned for __Of {
            const LINES: &'static [__p::Line] = &[];
            const STEPS: &'static [__p::Registered] = &[];
            fn tree(_: &__Input) -> &__p::Tree { __p::unreachable!() }
            fn step<'b>(
                _: __Lent<'b>, _: usize, _: __p::Given<'b>, _: __p::Op<'b>, _: &'b __p::Cx,
                _: &'b __p::PlanSlot,
            ) -> __p::BoxFuture<'b, __p::OpResult> { __p::no_call() }
        }
    }
}

/// Returns the body of `Flow::finish`: the output is that of the steps.
fn finish(plan: &Plan) -> TokenStream {
    let use_of_it = flow_impl::use_of(&plan.flow);
    quote! {
        fn finish<'b>(
            _: Self::Lent<'b>, input: __Input, slots: __p::PlanSlots,
        ) -> __p::BoxFuture<'b, __p::Result<Self::Output, __p::StepError>> {
            #use_of_it
            let outputs = __p::PlanOutputs::of(input.plan.tree(), &slots);
            __p::boxed(async move { __p::Result::Ok(<__Out as __p::FlowOutput>::same(outputs)) })
        }
    }
}

/// Returns the steps with their parameters, as Rust has them: what a saved plan must fit.
fn signatures(plan: &Plan) -> impl Iterator<Item = (&Line, String)> {
    plan.flow.lines.iter().map(|line| {
        let params = given(plan.args_of(line));
        let params =
            params.map(|(_, name, ty, _)| format!("{}: {}", plain(name), type_text::of(ty)));
        let params: Vec<String> = params.collect();
        (line, params.join(", "))
    })
}

/// Returns the text of the plan's type.
fn input_text(plan: &Plan) -> String {
    let steps = signatures(plan).map(|(line, params)| format!("{}({params})", line.saved));
    format!("a plan of {}", steps.collect::<Vec<_>>().join(", "))
}

/// Returns the list of steps in Markdown.
fn docs(plan: &Plan) -> String {
    let steps = signatures(plan).map(|(line, params)| format!("* `{}({params})`\n", line.name));
    let steps: String = steps.collect();
    format!("# Steps that a plan may have\n\n{steps}")
}
