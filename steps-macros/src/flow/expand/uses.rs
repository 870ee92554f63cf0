//! Which earlier lines of its scope a line uses, for the table. In a `parallel` this decides when the
//! line begins, so it is exactly what the line's code reads: no name that is shadowed there.

use proc_macro2::Ident;

use crate::{
    flow::model::{Arm, Body, Cond, Line},
    idents::{self, Names},
};

/// Returns the numbers of the earlier lines whose values a line uses, itself or in its own scope.
pub(super) fn earlier(lines: &[Line], index: usize) -> Vec<usize> {
    if index == 0 {
        return Vec::new();
    }
    let used = of_line(&lines[index]);
    let earlier = lines[..index].iter().enumerate();
    earlier
        .filter(|(_, line)| used.contains(&line.name.to_string()))
        .map(|(index, _)| index)
        .collect()
}

/// Returns the numbers of the lines of a `loop` that use `prev`, the round before.
pub(super) fn of_prev(lines: &[Line]) -> Vec<usize> {
    let named = lines.iter().position(|line| line.name == "prev");
    // Below a line of this name, it is that line.
    let seen = named.map_or(lines.len(), |line| line + 1);
    let using = lines[..seen].iter().enumerate();
    using
        .filter(|(_, line)| of_line(line).contains("prev"))
        .map(|(index, _)| index)
        .collect()
}

/// Returns the names that a line uses and does not bind itself.
fn of_line(line: &Line) -> Names {
    match &line.body {
        Body::Step(call) | Body::Flow(call) => call.names(),
        Body::Let { value, .. } => Names::of(value),
        Body::Broken(_) => Names::default(),
        Body::Group(lines) | Body::Parallel(lines) => of_lines(lines),
        // They do not see each other.
        Body::Race(lines) => lines.iter().map(of_line).fold(Names::default(), Names::and),
        Body::Match { value, arms } => arms.iter().fold(Names::of(value), |names, line| {
            let own = of_line(line);
            names.and(match &line.arm {
                Some(Arm { pat, guard }) => {
                    let guard = guard.as_ref().map(Names::of).unwrap_or_default();
                    guard.and(own).without(&idents::bound(pat))
                }
                None => own,
            })
        }),
        Body::If {
            cond,
            then,
            otherwise,
        } => {
            let (cond, bound) = match cond {
                Cond::Is(cond) => (cond, Vec::new()),
                Cond::Let { pat, value } => (value, idents::bound(pat)),
            };
            let otherwise = otherwise.as_ref().map(|lines| of_lines(lines));
            Names::of(cond)
                .and(of_lines(then).without(&bound))
                .and(otherwise.unwrap_or_default())
        }
        Body::For {
            pat,
            list,
            key,
            lines,
            ..
        } => {
            let each = Names::of(key).and(of_lines(lines));
            Names::of(list).and(each.without(&idents::bound(pat)))
        }
        Body::Loop { lines, until, .. } => {
            let own: Vec<&Ident> = lines.iter().map(|line| &line.name).collect();
            of_lines(lines)
                .and(Names::of(until).without(own))
                .without([&Ident::new("prev", proc_macro2::Span::call_site())])
        }
    }
}

/// Returns the names that lines use, and that none before them has.
fn of_lines(lines: &[Line]) -> Names {
    let mut names = Names::default();
    for (index, line) in lines.iter().enumerate() {
        let before = lines[..index].iter().map(|line| &line.name);
        names = names.and(of_line(line).without(before));
    }
    names
}
