//! Which step a reference in a plan is to, and how one is written.
//!
//! A reference is a path. Its first name is looked for in the group around the step that refers, then in
//! the group around that one, and so on; the other names lead down from there. A path that begins with a
//! dot leads from the top.

use std::collections::HashMap;

use super::{
    draft::OfStep,
    tree::{TOP, Tree},
};
use crate::model::state::path;

/// The nodes of a tree by their groups and names.
pub(super) struct ByName<'t>(HashMap<(usize, &'t str), usize>);

impl<'t> ByName<'t> {
    pub(super) fn of(tree: &'t Tree) -> Self {
        let nodes = tree.nodes.iter().enumerate().skip(TOP + 1);
        Self(
            nodes
                .map(|(index, node)| ((node.parent, &*node.name), index))
                .collect(),
        )
    }

    /// Returns the node that a reference in `from` is to.
    pub(super) fn find(&self, tree: &Tree, from: usize, step: &OfStep) -> Option<usize> {
        match step {
            OfStep::Path(names) => self.down(TOP, names.iter().map(String::as_str)),
            OfStep::Text(text) => {
                if let Some(rest) = text.strip_prefix('.') {
                    let names: Vec<_> = path::split(rest).collect();
                    return self.down(TOP, names.iter().map(|name| &**name));
                }
                let names: Vec<_> = path::split(text).collect();
                let first = names.first()?;
                let mut group = tree.nodes[from].parent;
                while !self.0.contains_key(&(group, &**first)) {
                    if group == TOP {
                        return None;
                    }
                    group = tree.nodes[group].parent;
                }
                self.down(group, names.iter().map(|name| &**name))
            }
        }
    }

    fn down<'n>(&self, group: usize, names: impl Iterator<Item = &'n str>) -> Option<usize> {
        let mut at = group;
        for name in names {
            at = *self.0.get(&(at, name))?;
        }
        (at != group).then_some(at)
    }
}

/// How a step stands to another one that it refers to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// It comes after it.
    After,
    /// It comes before it.
    Before,
    /// Both run at once, as parts of this group; the top has no name.
    Beside(usize),
    /// It is the same, or in it.
    Within,
}

/// Returns how `user` stands to `of`.
pub(super) fn order(tree: &Tree, user: usize, of: usize) -> Order {
    let (group, user, of) = branch(tree, user, of);
    let (Some(user), Some(of)) = (user, of) else {
        return Order::Within;
    };
    match &tree.nodes[group].work {
        super::tree::NodeWork::Group { at_once: 1, .. } if of < user => Order::After,
        super::tree::NodeWork::Group { at_once: 1, .. } => Order::Before,
        _ => Order::Beside(group),
    }
}

/// Returns the innermost group around both, and which of its steps each is or is in.
fn branch(tree: &Tree, one: usize, other: usize) -> (usize, Option<usize>, Option<usize>) {
    let down = |node: usize| {
        let mut all: Vec<usize> = tree.around(node).collect();
        all.push(TOP);
        all.reverse();
        all
    };
    let (one, other) = (down(one), down(other));
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    (
        one[same - 1],
        one.get(same).copied(),
        other.get(same).copied(),
    )
}

/// Returns how a reference from one step to another is written.
pub(super) fn written(tree: &Tree, from: usize, to: usize) -> String {
    let (group, ..) = branch(tree, from, to);
    let names = tree.names(to);
    let above = tree.names(group).len();
    let own = &names[above..];
    // The same name in a group between them would be found first.
    let mut between = tree.around(tree.nodes[from].parent);
    let mut hidden = between.by_ref().take_while(|at| *at != group);
    let is_hidden = hidden.any(|at| {
        let mut steps = tree.steps_of(at).iter();
        steps.any(|step| Some(&*tree.nodes[*step].name) == own.first().copied())
    });
    if is_hidden {
        return format!(".{}", path::join(names));
    }
    path::join(own)
}
