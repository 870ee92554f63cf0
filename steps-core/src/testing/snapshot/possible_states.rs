//! Every state that an execution of the snapshot's flow may be in, compared with the compiled flow by
//! the rules of [`compat`](crate::model::compat), which a resume goes by.
//!
//! Scopes are compared one by one, as the rules do: each with its lines begun up to each of them
//! (those of a `parallel` begin in their order, too, with those done that others need), and with the group done. What has not begun is
//! not in the state, as in a store with a row for each node, which is where the rules are strictest.
//! A line is tried under each name that it may have been saved under.

use super::{
    examples,
    report::{Finding, What},
    tree::{FlowSnapshot, LineSnapshot, WorkSnapshot},
};
use serde_json::Value;

use crate::model::{
    compat,
    compat::{Group, Match},
    state::{State, path},
    status::Status,
    table::{Check, Line, SchemaOf, Table, Work},
};

/// What of the compiled flow would strand an execution of the snapshot's.
pub(super) fn compare(old: &FlowSnapshot, new: &'static Table) -> Vec<Finding> {
    let mut comparison = Comparison {
        table: new,
        names: Vec::new(),
        found: Vec::new(),
    };
    for name in std::iter::once(&old.name).chain(&old.aliases) {
        if !new.answers_to(name) {
            comparison.say(What::FlowRenamed { from: name.clone() });
        }
    }
    comparison.flow(old, new);
    comparison.without_renamed()
}

struct Comparison {
    table: &'static Table,
    names: Vec<String>,
    found: Vec<Finding>,
}

impl Comparison {
    fn say(&mut self, what: What) {
        let finding = Finding {
            path: path::join(&self.names),
            what,
        };
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    fn at(&mut self, name: &str, say: impl FnOnce(&mut Self)) {
        self.names.push(name.to_owned());
        say(self);
        self.names.pop();
    }

    /// Returns the findings without those of lines that only seem to be new, since they were renamed:
    /// one piece of advice for each is enough.
    fn without_renamed(mut self) -> Vec<Finding> {
        let mut renamed = Vec::new();
        for found in &self.found {
            let mut names: Vec<_> = path::split(&found.path).collect();
            match found.what {
                What::Renamed { to, .. } => {
                    names.pop();
                    names.push(to.into());
                }
                What::AliasGone { .. } => {}
                _ => continue,
            }
            renamed.push(path::join(names));
        }
        self.found
            .retain(|found| !renamed.iter().any(|path| found.is_added(path)));
        self.found
    }

    fn input(&mut self, old: &FlowSnapshot, new: &'static Table) {
        let gone = old
            .input
            .iter()
            .filter(|(name, _)| new.untaken(name).is_some());
        let mut gone: Vec<_> = gone.collect();
        for field in new.input {
            let saved = std::iter::once(&field.name).chain(field.aliases);
            let found = saved.into_iter().find_map(|name| old.input.get(*name));
            // A parameter of the same type that is gone may have got another name.
            let renamed = gone
                .iter()
                .position(|(_, ty)| found.is_none() && *ty == field.ty);
            let examples = std::iter::once(&field.name).chain(field.aliases);
            let examples = examples
                .into_iter()
                .find_map(|name| old.input_examples.get(*name));
            let what = match (found, renamed) {
                (Some(_), _) if examples.is_some() => {
                    let examples = examples.map_or(&[][..], Vec::as_slice);
                    if let Some(why) = examples::unread(examples, field.check) {
                        self.say(What::InputUnread {
                            name: field.name,
                            why,
                        });
                    } else {
                        let input = Some(field.name);
                        self.fields_gone(input, examples, field.schema, field.check);
                    }
                    continue;
                }
                (Some(was), _) if was == field.ty => continue,
                (Some(was), _) => What::InputRetyped {
                    name: field.name,
                    was: was.clone(),
                    is: field.ty,
                },
                (None, Some(at)) => What::InputRenamed {
                    from: gone.remove(at).0.clone(),
                    to: field.name,
                },
                // A field that is missing is read as `null`.
                (None, None) if (field.check)("null").is_ok() => continue,
                (None, None) => What::InputAdded {
                    name: field.name,
                    ty: field.ty,
                },
            };
            self.say(what);
        }
        for (name, _) in gone {
            self.say(What::InputGone { name: name.clone() });
        }
    }

    /// Tells of the fields that are in these examples, and in none of the present type's.
    fn fields_gone(
        &mut self,
        input: Option<&'static str>,
        was: &[Value],
        schema: Option<SchemaOf>,
        check: Check,
    ) {
        for field in examples::gone(was, &examples::of(schema, check)) {
            self.say(What::FieldGone { input, field });
        }
    }

    fn flow(&mut self, old: &FlowSnapshot, new: &'static Table) {
        self.input(old, new);
        let is_root = self.names.is_empty();
        if !old.output_examples.is_empty() {
            match examples::unread(&old.output_examples, new.check) {
                Some(why) if is_root => self.say(What::Output(why)),
                Some(why) => self.say(What::Unread(why)),
                None => self.fields_gone(None, &old.output_examples, new.schema, new.check),
            }
        } else if old.output != new.output {
            let why = format!("it gave `{}`, and gives `{}` now", old.output, new.output);
            // That of the whole flow is read only when nothing of it runs any more.
            self.say(if is_root {
                What::Output(why)
            } else {
                What::Misfit(why)
            });
        }
        self.scope(&old.lines, new.nodes, None);
    }

    /// One `{ … }`: of the line `above`, or of a flow.
    fn scope(&mut self, old: &[LineSnapshot], new: &'static [Line], above: Option<&Line>) {
        let group = |status| match above {
            Some(node) => Group::of(node, status),
            None => Group::flow(status),
        };
        let names = old.iter().map(|line| line.names().count()).max();
        for name in 0..names.unwrap_or(1) {
            for begun in 1..=old.len() {
                let states = begun_states(&old[..begun], name);
                self.lines(old, new, &states, group(Status::Running));
            }
            let states = states(old, name, Status::Done);
            self.lines(old, new, &states, group(Status::Done));
        }
        for line in old {
            let node = new
                .iter()
                .find(|node| line.names().any(|name| node.answers_to(name)));
            if let Some(node) = node {
                self.at(node.name, |this| this.line(line, node));
            }
        }
    }

    /// A scope in one state.
    fn lines(
        &mut self,
        old: &[LineSnapshot],
        new: &'static [Line],
        states: &[State],
        group: Group,
    ) {
        for line in compat::scope(new, states, group) {
            match line {
                Match::Removed(state, true) => {
                    let (at, what) = self.gone(old, new, &state.name);
                    self.at(&at, |this| this.say(what));
                }
                Match::Unordered(node, user) => {
                    let user = user.name;
                    self.at(node.name, |this| this.say(What::Unordered { user }));
                }
                Match::Added(node, true) => {
                    let was_there = old
                        .iter()
                        .any(|line| line.names().any(|name| node.answers_to(name)));
                    let before = states
                        .last()
                        .filter(|_| group.is_open())
                        .map(|state| state.name.to_string());
                    let what = match before {
                        Some(before) if was_there => What::Moved { before },
                        Some(before) => What::Added { before },
                        None => What::AddedInDone,
                    };
                    self.at(node.name, |this| {
                        // One finding for each new line is enough.
                        let path = path::join(&this.names);
                        if !this.found.iter().any(|found| found.is_added(&path)) {
                            this.say(what);
                        }
                    });
                }
                _ => {}
            }
        }
    }

    /// Returns what may have become of a line that is gone, and the name to report it under.
    fn gone(&self, old: &[LineSnapshot], new: &'static [Line], name: &str) -> (String, What) {
        let line = old.iter().find(|line| line.names().any(|n| n == name));
        if let Some(line) = line
            && let Some(node) = new
                .iter()
                .find(|node| line.names().any(|name| node.answers_to(name)))
        {
            let alias = name.to_owned();
            return (node.name.to_owned(), What::AliasGone { alias });
        }
        let is_new = |node: &&Line| {
            !old.iter()
                .any(|line| line.names().any(|name| node.answers_to(name)))
        };
        let alike = |node: &&Line| match (line.map(|line| &line.work), &node.work) {
            (Some(WorkSnapshot::Step { output, .. }), Work::Step(meta)) => output == meta.output,
            (Some(work), _) => work.kind() == node.kind(),
            (None, _) => false,
        };
        let (from, now_at) = (name.to_owned(), find(self.table.nodes, name));
        let renamed = new.iter().filter(is_new).find(alike);
        let what = match renamed {
            Some(node) if now_at.is_none() => What::Renamed {
                from,
                to: node.name,
            },
            _ => What::Gone {
                name: from,
                now_at: now_at.map(path::join),
            },
        };
        (name.to_owned(), what)
    }

    fn line(&mut self, old: &LineSnapshot, node: &'static Line) {
        if let Some(what) = old.misfit(node) {
            return self.say(what);
        }
        if let (WorkSnapshot::Step { examples, .. }, Work::Step(meta)) = (&old.work, &node.work) {
            self.fields_gone(None, examples, meta.schema, meta.check);
        }
        if !old.calls.is_empty() && old.calls != node.calls {
            self.say(What::Calls {
                was: old.calls.clone(),
                is: node.calls,
            });
        }
        if old.optional && !node.marks.passes_over() {
            self.say(What::NotOptional);
        }
        match &old.work {
            WorkSnapshot::Step { .. } => {}
            WorkSnapshot::If {
                then, otherwise, ..
            } => {
                if let [new_then, new_otherwise] = bodies(&node.work)[..] {
                    self.scope(then, new_then, Some(node));
                    self.scope(otherwise, new_otherwise, Some(node));
                }
            }
            WorkSnapshot::Flow(old) => {
                if let Work::Flow(new) = &node.work {
                    self.flow(old, new);
                }
            }
            WorkSnapshot::Group(old)
            | WorkSnapshot::Parallel(old)
            | WorkSnapshot::Race(old)
            | WorkSnapshot::Match { arms: old, .. }
            | WorkSnapshot::For { lines: old, .. }
            | WorkSnapshot::Loop { lines: old, .. } => {
                for new in bodies(&node.work) {
                    self.scope(old, new, Some(node));
                }
            }
        }
    }
}

fn states(lines: &[LineSnapshot], name: usize, status: Status) -> Vec<State> {
    lines.iter().map(|line| line.state(name, status)).collect()
}

/// Lines that have begun, each after those that it needs were done.
fn begun_states(lines: &[LineSnapshot], name: usize) -> Vec<State> {
    let status = |line: &LineSnapshot| {
        let is_needed = lines.iter().any(|user| user.needs.contains(&line.name));
        if is_needed {
            Status::Done
        } else {
            Status::Running
        }
    };
    let lines = lines.iter();
    lines.map(|line| line.state(name, status(line))).collect()
}

/// Where the compiled flow has a line of this name.
fn find(nodes: &'static [Line], name: &str) -> Option<Vec<&'static str>> {
    nodes.iter().find_map(|node| {
        if node.answers_to(name) {
            return Some(vec![node.name]);
        }
        let below = bodies(&node.work)
            .into_iter()
            .find_map(|body| find(body, name));
        below.map(|mut below| {
            below.insert(0, node.name);
            below
        })
    })
}

/// Returns the groups of lines below a line: two of an `if`, the one of each item or round of a `for`
/// or a `loop`, none of a step.
fn bodies(work: &Work) -> Vec<&'static [Line]> {
    match work {
        Work::Step(_) => Vec::new(),
        Work::Group(lines)
        | Work::Parallel(lines)
        | Work::Race(lines)
        | Work::Match { arms: lines, .. }
        | Work::For { body: lines, .. }
        | Work::Loop { body: lines, .. } => vec![lines],
        Work::If {
            then, otherwise, ..
        } => vec![then, otherwise],
        Work::Flow(table) => vec![table.nodes],
    }
}
