//! Makes a tree of a draft, or tells all that is wrong with it.

use std::collections::HashSet;

use super::{
    draft::{Called, Draft, DraftArg, DraftGroup, DraftPlan, OfStep, What},
    error::{PlanError, PlanProblem, unreadable},
    find::{ByName, Order, order},
    registered::Known,
    tree::{Arg, Node, NodeWork, TOP, Tree},
};
use crate::{
    base::similar::similar,
    model::{
        state::{StepKind, path},
        table::{Work, planned::MAX_GROUPS},
    },
};

/// The most steps and groups that a plan may have: as many nodes as the saved tree then has, can be read.
pub(super) const MAX_STEPS: usize = 100_000;

/// Makes a tree of a draft. `problems` are those that were found when it was read.
pub(super) fn check(
    draft: DraftPlan,
    known: Known,
    problems: Vec<PlanProblem>,
) -> Result<Tree, PlanError> {
    let count = draft.steps.count();
    if count > MAX_STEPS {
        let why = format!(
            "it has {count} steps and groups, and may have {MAX_STEPS}: start several executions"
        );
        return Err(PlanError::of(vec![PlanProblem::new(&[], why)]));
    }
    let mut check = Check {
        known,
        tree: Tree {
            nodes: Vec::new(),
            outputs: None,
        },
        args: Vec::new(),
        unknown: HashSet::new(),
        names: Vec::new(),
        problems,
    };
    check.group(String::new(), TOP, draft.steps, 0);
    check.references(draft.outputs);
    if check.problems.is_empty() {
        Ok(check.tree)
    } else {
        Err(PlanError::of(check.problems))
    }
}

struct Check {
    known: Known,
    tree: Tree,
    /// The arguments of each node that is a step.
    args: Vec<(usize, Vec<(String, DraftArg)>)>,
    /// The nodes that call a step which is not registered.
    unknown: HashSet<usize>,
    /// The names that lead to where the check is.
    names: Vec<String>,
    problems: Vec<PlanProblem>,
}

impl Check {
    fn say(&mut self, why: impl Into<String>) {
        self.problems.push(PlanProblem::new(&self.names, why));
    }

    fn say_of(&mut self, node: usize, why: impl Into<String>) {
        let names = self.tree.names(node).into_iter().map(str::to_owned);
        let names: Vec<String> = names.collect();
        self.problems.push(PlanProblem::new(&names, why));
    }

    fn add(&mut self, name: String, parent: usize, work: NodeWork) -> usize {
        self.tree.nodes.push(Node {
            name: name.into(),
            parent,
            work,
        });
        self.tree.nodes.len() - 1
    }

    /// Adds a group and all in it. `depth` is the number of groups around it.
    fn group(&mut self, name: String, parent: usize, group: DraftGroup, depth: usize) -> usize {
        let DraftGroup { at_once, steps } = group;
        if at_once == 0 {
            self.say("at most 0 at once would run nothing: give 1 or more");
        }
        let work = NodeWork::Group {
            at_once,
            steps: Vec::new(),
        };
        let node = self.add(name, parent, work);
        if depth > MAX_GROUPS {
            self.say(format!(
                "more than {MAX_GROUPS} groups are within each other here: let a step do what is in it, or \
                 move it further out"
            ));
            return node;
        }
        let mut taken: HashSet<String> = HashSet::new();
        let mut own = Vec::with_capacity(steps.len());
        for step in steps {
            self.names.push(step.name.clone());
            if step.name.is_empty() {
                self.say("a step or a group has an empty name: give it one");
            }
            if !taken.insert(step.name.clone()) {
                self.say(
                    "a second step of this name in its group: give each a name of its own, by which it is \
                     recorded",
                );
            }
            own.push(self.step(step, node, depth));
            self.names.pop();
        }
        if let NodeWork::Group { steps, .. } = &mut self.tree.nodes[node].work {
            *steps = own;
        }
        node
    }

    fn step(&mut self, Draft { name, what }: Draft, parent: usize, depth: usize) -> usize {
        let (step, args, mark) = match what {
            What::Group(group) => return self.group(name, parent, group, depth + 1),
            What::Step { step, args, mark } => (step, args, mark),
        };
        let number = match step {
            Called::Number(number) => Some(number),
            Called::Name(called) => {
                let found = self.known.find(&called);
                if found.is_none() {
                    self.unknown_step(&called);
                }
                found
            }
        };
        let Some(number) = number else {
            let work = NodeWork::Group {
                at_once: 1,
                steps: Vec::new(),
            };
            let node = self.add(name, parent, work);
            self.unknown.insert(node);
            return node;
        };
        let work = NodeWork::Step {
            step: number,
            args: Vec::new(),
            mark,
        };
        let node = self.add(name, parent, work);
        self.args.push((node, args));
        node
    }

    fn unknown_step(&mut self, called: &str) {
        let names = || self.known.lines.iter().map(|line| line.name);
        let why = match similar(called, names()) {
            Some(meant) => format!("there is no step `{called}`; did you mean `{meant}`?"),
            None => format!(
                "there is no step `{called}`; a plan may have {}. If it was renamed, write \
                 `#[step(alias = \"{called}\")]` before it",
                listed(names())
            ),
        };
        self.say(why);
    }

    /// Checks the arguments of all steps, and what the plan gives, once all names are known.
    fn references(&mut self, outputs: Option<Vec<OfStep>>) {
        let args = std::mem::take(&mut self.args);
        let by_name = ByName::of(&self.tree);
        let mut told = Vec::new();
        let mut found = Vec::with_capacity(args.len());
        for (node, args) in args {
            let mut one = OneStep {
                known: self.known,
                tree: &self.tree,
                by_name: &by_name,
                unknown: &self.unknown,
                node,
                problems: Vec::new(),
            };
            found.push((node, one.args(args)));
            told.extend(one.problems.into_iter().map(|why| (node, why)));
        }
        let outputs = outputs.map(|outputs| {
            let mut nodes = Vec::new();
            for step in &outputs {
                let node = by_name.find(&self.tree, TOP, step);
                let is_one =
                    |node: &usize| self.tree.step(*node).is_some() || self.unknown.contains(node);
                match node.filter(is_one) {
                    Some(node) => nodes.push(node),
                    None => told.push((
                        TOP,
                        format!(
                            "`outputs` names `{}`, and there is no such step",
                            shown(step)
                        ),
                    )),
                }
            }
            nodes
        });
        self.tree.outputs = outputs;
        for (node, why) in told {
            self.say_of(node, why);
        }
        for (node, args) in found {
            if let NodeWork::Step { args: own, .. } = &mut self.tree.nodes[node].work {
                *own = args;
            }
        }
    }
}

/// Checks the arguments of one step.
struct OneStep<'t> {
    known: Known,
    tree: &'t Tree,
    by_name: &'t ByName<'t>,
    unknown: &'t HashSet<usize>,
    node: usize,
    problems: Vec<String>,
}

impl OneStep<'_> {
    fn args(&mut self, given: Vec<(String, DraftArg)>) -> Vec<Arg> {
        let step = self.tree.step(self.node).unwrap_or_default();
        let params = self.known.params(step);
        let called = self.known.name(step);
        let mut args: Vec<Option<Arg>> = vec![None; params.len()];
        // Parameters whose names were written with a slip: they are not missing besides.
        let mut slips: Vec<&str> = Vec::new();
        for (name, arg) in given {
            let Some(index) = params.iter().position(|param| param.name == name) else {
                let names = || params.iter().map(|param| param.name);
                self.problems.push(match similar(&name, names()) {
                    Some(meant) => {
                        slips.push(meant);
                        format!("`{called}` takes no argument `{name}`; did you mean `{meant}`?")
                    }
                    None if params.is_empty() => {
                        format!("`{called}` takes no argument `{name}`, and none at all")
                    }
                    None => format!(
                        "`{called}` takes no argument `{name}`; it takes {}",
                        listed(names())
                    ),
                });
                continue;
            };
            if args[index].is_some() {
                self.problems.push(format!(
                    "its argument `{name}` is given twice: as a value, or from another step"
                ));
            }
            args[index] = Some(match arg {
                DraftArg::Value(value) => {
                    if let Err(why) = (params[index].check)(value.get()) {
                        let (ty, why) = (params[index].ty, unreadable(&why));
                        self.problems
                            .push(format!("its argument `{name}` is no `{ty}`: {why}"));
                    }
                    Arg::Value(value)
                }
                DraftArg::Unsaved(why) => {
                    self.problems.push(format!(
                        "its argument `{name}` can't be saved as JSON: {why}"
                    ));
                    Arg::Missing
                }
                DraftArg::From { step, at } => self.reference(&name, &step, at),
            });
        }
        let args = args.into_iter().zip(params);
        args.map(|(arg, param)| {
            let is_missing = arg.is_none() && !slips.contains(&param.name);
            if is_missing && (param.check)("null").is_err() {
                self.problems.push(format!(
                    "the argument `{}` of `{called}` is missing: it is a `{}`",
                    param.name, param.ty
                ));
            }
            arg.unwrap_or(Arg::Missing)
        })
        .collect()
    }

    fn reference(&mut self, name: &str, step: &OfStep, at: String) -> Arg {
        let from = shown(step);
        let why = match self.by_name.find(self.tree, self.node, step) {
            None => Some(format!(
                "there is no step `{from}` in this plan; a name is looked for in the step's own group, and \
                 in those around it"
            )),
            Some(node) => match self.unusable(node) {
                None => match pointer_problem(&at) {
                    None => {
                        return Arg::From {
                            node,
                            at: at.into(),
                        };
                    }
                    problem => problem,
                },
                why => why,
            },
        };
        if let Some(why) = why {
            self.problems.push(format!(
                "its argument `{name}` is to come from `{from}`: {why}"
            ));
        }
        Arg::Missing
    }

    /// Returns why the output of a node can't be used by this step.
    fn unusable(&self, node: usize) -> Option<String> {
        match order(self.tree, self.node, node) {
            Order::After => {}
            Order::Before => {
                return Some(
                    "that step comes later; move this one behind it, or that one before this"
                        .into(),
                );
            }
            Order::Beside(group) => {
                let group = match path::join(self.tree.names(group)) {
                    group if group.is_empty() => "this plan".to_owned(),
                    group => format!("the group `{group}`"),
                };
                return Some(format!(
                    "{group} runs both at once; let this step run after the group, or put the two into a \
                     group in order"
                ));
            }
            Order::Within if node == self.node => return Some("that is the step itself".into()),
            Order::Within => return Some("that is a group around this step".into()),
        }
        // That is told already.
        if self.unknown.contains(&node) {
            return None;
        }
        let NodeWork::Step { step, .. } = self.tree.nodes[node].work else {
            return Some("that is a group, which has no output: name a step in it".into());
        };
        let is_volatile = matches!(
            &self.known.lines[step].work,
            Work::Step(meta) if meta.kind == Some(StepKind::Volatile)
        );
        is_volatile.then(|| "that step is `volatile`, and its output is not saved".into())
    }
}

/// Returns why a text is no JSON pointer, if it is none.
fn pointer_problem(at: &str) -> Option<String> {
    (!at.is_empty() && !at.starts_with('/')).then(|| {
        format!("`{at}` is no JSON pointer: write `/{at}`, or leave it out for the whole output")
    })
}

fn shown(step: &OfStep) -> String {
    match step {
        OfStep::Text(text) => text.clone(),
        OfStep::Path(names) => path::join(names),
    }
}

/// Returns names as a list for people.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STEPS, listed};
    use crate::model::state::Limits;

    #[test]
    fn a_plan_with_as_many_steps_as_may_be_can_be_read_back() {
        // An item, what it is, perhaps a mark, and the step.
        const { assert!(4 * MAX_STEPS + 2 <= Limits::DEFAULT.nodes) };
        assert_eq!(listed(["a", "b", "c"].into_iter()), "`a`, `b` and `c`");
        assert_eq!(listed(["a"].into_iter()), "`a`");
        assert_eq!(listed([].into_iter()), "none");
    }
}
