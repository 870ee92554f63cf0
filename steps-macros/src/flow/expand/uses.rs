//! Which earlier lines of its scope a line uses, for the table.

use proc_macro2::TokenStream;

use super::scope::Scope;
use crate::{
    flow::model::{Body, Cond, Line},
    idents,
};

/// Returns the numbers of the earlier lines whose names a line uses, itself or in its own scope. A name
/// that is shadowed there counts as well.
pub(super) fn earlier(scope: &Scope<'_>, index: usize) -> Vec<usize> {
    if scope.parallel {
        return Vec::new();
    }
    let mut expressions = Vec::new();
    collect(&scope.lines[index], &mut expressions);
    let uses = |name: &str| expressions.iter().any(|expr| idents::uses(expr, name));
    let earlier = scope.lines[..index].iter().enumerate();
    earlier
        .filter(|(_, line)| uses(&line.name.to_string()))
        .map(|(index, _)| index)
        .collect()
}

/// Collects the user's expressions in a line and in its scope.
fn collect<'m>(line: &'m Line, found: &mut Vec<&'m TokenStream>) {
    match &line.body {
        Body::Step(call) | Body::Flow(call) => found.push(&call.args),
        Body::Let { value, .. } => found.push(value),
        Body::If { cond, .. } => found.push(match cond {
            Cond::Is(cond) => cond,
            Cond::Let { value, .. } => value,
        }),
        Body::For { list, key, .. } => found.extend([list, key]),
        Body::Loop { until, .. } => found.push(until),
        Body::Broken(_) | Body::Group(_) | Body::Parallel(_) => {}
    }
    for lines in line.groups() {
        for line in lines {
            collect(line, found);
        }
    }
}
