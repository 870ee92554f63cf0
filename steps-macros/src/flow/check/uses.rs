//! Finds the names that an expression uses, and those that it binds itself.

use proc_macro2::Ident;
use syn::{
    Expr, ExprPath, Pat,
    visit_mut::{self, VisitMut},
};

/// The names that expressions use, and those that they bind themselves.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) names: Vec<Ident>,
    /// Field accesses, `name.field`.
    pub(super) fields: Vec<(Ident, Ident)>,
    pub(super) bound: Vec<String>,
}

impl VisitMut for Uses {
    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        if path.qself.is_none()
            && let Some(ident) = path.path.get_ident()
        {
            self.names.push(ident.clone());
        }
    }

    fn visit_expr_field_mut(&mut self, field: &mut syn::ExprField) {
        if let (Expr::Path(base), syn::Member::Named(member)) = (&*field.base, &field.member)
            && let Some(base) = base.path.get_ident()
        {
            self.fields.push((base.clone(), member.clone()));
        }
        self.visit_expr_mut(&mut field.base);
    }

    fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
        // In `name(…)`, the name is that of a function.
        if !matches!(*call.func, Expr::Path(_)) {
            self.visit_expr_mut(&mut call.func);
        }
        for arg in &mut call.args {
            self.visit_expr_mut(arg);
        }
    }

    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        if let Pat::Ident(pat) = pat {
            self.bound.push(pat.ident.to_string());
        }
        visit_mut::visit_pat_mut(self, pat);
    }

    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        if let syn::Item::Fn(function) = item {
            self.bound.push(function.sig.ident.to_string());
        }
    }
}
