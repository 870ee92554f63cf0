//! The type that the form of an expression tells, for a `let` line without one. `Uuid::now_v7()`
//! gives a `Uuid`, as associated functions mostly do; the compiler checks it, and says what to write
//! where it is another type.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::{
    BinOp, Expr, ExprCall, ExprMethodCall, GenericArgument, Lit, Path, PathArguments, Type,
    TypePath, UnOp, spanned::Spanned,
};

use crate::idents::{PRIMITIVES, is_type};

/// Returns the type of the expression, where its form tells it.
pub(super) fn type_of(expr: &Expr) -> Option<Type> {
    match expr {
        Expr::Lit(literal) => literal_type(&literal.lit),
        Expr::Paren(inner) => type_of(&inner.expr),
        Expr::Group(inner) => type_of(&inner.expr),
        Expr::Cast(cast) => match &*cast.ty {
            Type::Infer(_) => None,
            ty => Some(ty.clone()),
        },
        Expr::Struct(value) => constructed(&value.path, value.path.segments.len()),
        Expr::Call(call) => called(call),
        Expr::MethodCall(call) => method(call),
        Expr::Macro(call) if call.mac.path.is_ident("format") => named(expr, "String"),
        Expr::Macro(call) if call.mac.path.is_ident("matches") => named(expr, "bool"),
        Expr::Binary(binary) => match binary.op {
            BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Gt(_)
            | BinOp::Ge(_)
            | BinOp::And(_)
            | BinOp::Or(_) => named(expr, "bool"),
            _ => type_of(&binary.left).or_else(|| type_of(&binary.right)),
        },
        Expr::Unary(unary) => match unary.op {
            UnOp::Neg(_) | UnOp::Not(_) => type_of(&unary.expr),
            _ => None,
        },
        Expr::Tuple(tuple) => {
            let parts: Option<Vec<Type>> = tuple.elems.iter().map(type_of).collect();
            let parts = parts?;
            Some(Type::Verbatim(quote_spanned!(tuple.span()=> (#(#parts,)*))))
        }
        Expr::If(branch) => last(&branch.then_branch),
        Expr::Block(block) => last(&block.block),
        Expr::Match(choice) => choice.arms.iter().find_map(|arm| type_of(&arm.body)),
        _ => None,
    }
}

fn last(block: &syn::Block) -> Option<Type> {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(expr, None)) => type_of(expr),
        _ => None,
    }
}

/// Returns a type by a name that the code around the flow can't have given another meaning.
fn named(expr: &Expr, name: &str) -> Option<Type> {
    let name = syn::Ident::new(name, expr.span());
    let path: TokenStream = match name.to_string().as_str() {
        "String" => quote_spanned!(expr.span()=> ::std::string::#name),
        _ => quote_spanned!(expr.span()=> ::core::primitive::#name),
    };
    syn::parse2(path).ok()
}

fn literal_type(literal: &Lit) -> Option<Type> {
    let suffix = match literal {
        Lit::Int(int) => int.suffix(),
        Lit::Float(float) => float.suffix(),
        Lit::Bool(_) => "bool",
        Lit::Char(_) => "char",
        _ => "",
    };
    let name: syn::Ident = syn::parse_str(suffix).ok()?;
    let name = syn::Ident::new(&name.to_string(), literal.span());
    syn::parse2(quote_spanned!(literal.span()=> ::core::primitive::#name)).ok()
}

/// Returns the type in `Type::function(…)`, `Type(…)` and `Enum::Variant(…)`.
fn called(call: &ExprCall) -> Option<Type> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    if function.qself.is_some() {
        return None;
    }
    let path = &function.path;
    let last = path.segments.last()?;
    let name = last.ident.to_string();
    if is_type(&name) {
        return constructed(path, path.segments.len());
    }
    if name == "random" {
        return only_type(&last.arguments);
    }
    before_last(path, path.segments.len()).filter(|_| !name.starts_with("try_"))
}

/// Returns the type of what a path with a name in capitals constructs: that name's, or, of an enum's
/// variant, that of the name before it.
fn constructed(path: &Path, segments: usize) -> Option<Type> {
    before_last(path, segments).or_else(|| prefix(path, segments))
}

/// Returns the path without its last part, if it ends in a type.
fn before_last(path: &Path, segments: usize) -> Option<Type> {
    prefix(path, segments.checked_sub(1)?)
}

/// Returns the first parts of the path, if they name a type, with all of its parameters.
fn prefix(path: &Path, segments: usize) -> Option<Type> {
    let mut path = path.clone();
    path.segments = path.segments.into_iter().take(segments).collect();
    // `take` leaves the `::` after the last part.
    path.segments.pop_punct();
    let last = path.segments.last()?;
    let name = last.ident.to_string();
    if !is_type(&name) && !PRIMITIVES.contains(&name.as_str()) {
        return None;
    }
    if GENERIC.contains(&name.as_str()) && last.arguments.is_none() {
        return None;
    }
    Some(Type::Path(TypePath {
        attrs: Vec::new(),
        qself: None,
        path,
    }))
}

/// Types and variants of the standard library whose parameters the form does not tell.
const GENERIC: &[&str] = &[
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "Box",
    "Cow",
    "Err",
    "HashMap",
    "HashSet",
    "LinkedList",
    "Mutex",
    "NonZero",
    "None",
    "Ok",
    "Option",
    "Range",
    "Rc",
    "Result",
    "Reverse",
    "RwLock",
    "Saturating",
    "Some",
    "Vec",
    "VecDeque",
    "Wrapping",
];

fn method(call: &ExprMethodCall) -> Option<Type> {
    let whole = || Expr::MethodCall(call.clone());
    let name = call.method.to_string();
    match name.as_str() {
        "to_string" | "to_uppercase" | "to_lowercase" | "to_ascii_uppercase"
        | "to_ascii_lowercase" | "repeat" => named(&whole(), "String"),
        "len" | "count" => named(&whole(), "usize"),
        "contains" | "starts_with" | "ends_with" | "eq" | "ne" => named(&whole(), "bool"),
        "collect" | "sum" | "product" | "random" => match &call.turbofish {
            Some(turbofish) => only_type(&PathArguments::AngleBracketed(turbofish.clone())),
            None => None,
        },
        "to_owned" | "into" => match &*call.receiver {
            Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)) => named(&whole(), "String"),
            _ => None,
        },
        _ if name.starts_with("is_") || name.starts_with("has_") => named(&whole(), "bool"),
        _ => None,
    }
}

/// Returns the type in `::<Type>`, if it has no part to be inferred.
fn only_type(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    let mut all = arguments.args.iter();
    match (all.next(), all.next()) {
        (Some(GenericArgument::Type(ty)), None) if !infers(ty) => Some(ty.clone()),
        _ => None,
    }
}

/// Whether a type has a `_` in it.
fn infers(ty: &Type) -> bool {
    struct Find(bool);
    impl syn::visit_mut::VisitMut for Find {
        fn visit_type_infer_mut(&mut self, _: &mut syn::TypeInfer) {
            self.0 = true;
        }
    }
    let mut find = Find(false);
    syn::visit_mut::VisitMut::visit_type_mut(&mut find, &mut ty.clone());
    find.0
}
