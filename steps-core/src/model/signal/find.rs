//! Finds the signal at a path of a flow, and whether a step of it can take one: by the flow's table
//! and, if there is one, by the execution's tree.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{SignalError, Target, boxed, push_any};
use crate::model::{
    state::{State, path},
    status::Status,
    table::{Line, StepMeta, Table, Way, Work},
};

/// A node of an execution's tree, as far as it says what a step can take.
pub(crate) trait Look: Sized {
    /// Returns the status.
    fn status(&self) -> Status;
    /// Returns which way a line has gone, if that is recorded.
    fn way(&self, work: &Work) -> Option<Way>;
    /// Returns whether it was given a signal.
    fn has_input(&self) -> bool;
    /// Returns its name.
    fn name(&self) -> Cow<'_, str>;
    /// Returns whether its deadline has passed.
    fn is_late(&self) -> bool;
    /// Returns the nodes below it, in order.
    fn below(&self) -> Vec<Self>;
}

/// A saved tree at this time.
impl Look for (&State, Timestamp) {
    fn status(&self) -> Status {
        self.0.status
    }
    fn way(&self, work: &Work) -> Option<Way> {
        Some(work.way(self.0)).filter(Way::is_known)
    }
    fn has_input(&self) -> bool {
        self.0.input.is_some()
    }
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0.name)
    }
    fn is_late(&self) -> bool {
        self.0.deadline.is_some_and(|deadline| deadline <= self.1)
    }
    fn below(&self) -> Vec<Self> {
        self.0.states.iter().map(|state| (state, self.1)).collect()
    }
}

/// A signal of a flow.
#[derive(Debug)]
pub(crate) struct Found {
    /// The steps, by their present names.
    pub(crate) target: Target,
    /// What the table says of them.
    pub(crate) meta: &'static StepMeta,
}

/// Returns the signal at this path of the flow, if a step of it can take one. `root` is the tree;
/// without one, only the table is asked.
pub(crate) fn find<L: Look>(
    table: &'static Table,
    root: Option<L>,
    path: &str,
) -> Result<Found, SignalError> {
    let no_signal = |what: String| SignalError::NoSignal {
        path: path.to_owned(),
        what,
        signals: signals(table),
    };
    let unknown = || no_signal(format!("the flow `{}` has no step `{path}`", table.name));
    let mut places = Places {
        unborn: root.is_none(),
        nodes: Vec::new(),
        why: String::new(),
        at: String::new(),
    };
    match root.as_ref().map(L::status) {
        // One that was stopped can go on.
        None | Some(Status::Pending | Status::Running | Status::Waiting | Status::Stopped) => {
            places.nodes.extend(root);
        }
        Some(status) => places.why = format!("the execution is {status}"),
    }
    let mut target = Vec::new();
    let mut lines: Vec<&'static Line> = table.nodes.iter().collect();
    let mut names = path::pattern(path);
    loop {
        let name = names
            .next()
            .ok_or_else(|| no_signal(format!("`{path}` is no signal, but has steps of its own")))?;
        let name = name.ok_or_else(unknown)?;
        let mut among = lines.iter();
        let line = among
            .find(|line| line.answers_to(&name))
            .ok_or_else(unknown)?;
        places.enter_line(line);
        target.push(Some(Box::from(line.name)));
        lines = match &line.work {
            Work::Step(meta) => {
                if names.next().is_some() {
                    return Err(unknown());
                }
                if !meta.is_signal() {
                    let what = format!("the step `{path}` takes no signals");
                    return Err(no_signal(what));
                }
                places.can_take();
                if places.is_empty() {
                    return Err(SignalError::TakesNone {
                        path: path.to_owned(),
                        why: places.why,
                    });
                }
                let target = Target(target);
                return Ok(Found { target, meta });
            }
            Work::Group(lines) | Work::Parallel(lines) | Work::Race(lines) => {
                lines.iter().collect()
            }
            Work::Flow(table) => table.nodes.iter().collect(),
            Work::Match { arms, .. } => {
                let next = path::pattern(path).nth(target.len()).flatten();
                places.choose(line, &next.unwrap_or_default());
                arms.iter().collect()
            }
            Work::If {
                then, otherwise, ..
            } => {
                let next = path::pattern(path).nth(target.len()).flatten();
                places.choose(line, &next.unwrap_or_default());
                then.iter().chain(*otherwise).collect()
            }
            Work::For { body, .. } | Work::Loop { body, .. } => {
                let key = names.next().ok_or_else(|| {
                    no_signal(format!("`{path}` is no signal, but has steps of its own"))
                })?;
                places
                    .enter_key(line, key.as_deref())
                    .map_err(|why| SignalError::NoItem {
                        path: path.to_owned(),
                        why,
                    })?;
                target.push(key.map(boxed));
                body.iter().collect()
            }
        };
    }
}

/// Where in the tree a signal's step may be: what is left of it on the way down.
struct Places<L> {
    nodes: Vec<L>,
    /// Whether there may be more nodes later.
    unborn: bool,
    /// Why the last node was left out.
    why: String,
    /// The path so far.
    at: String,
}

impl<L: Look> Places<L> {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && !self.unborn
    }

    /// Leaves out a node that has ended.
    fn keep(&mut self, node: L, below: &mut Vec<L>) {
        let status = node.status();
        if node.is_late() && !node.has_input() {
            self.why = format!("the time of `{}` is over", self.at);
        } else if matches!(status, Status::Pending | Status::Running | Status::Waiting) {
            below.push(node);
        } else {
            self.why = format!("`{}` is {status}", self.at);
        }
    }

    /// Goes down to one line.
    fn enter_line(&mut self, line: &Line) {
        path::push(&mut self.at, line.name);
        let mut below = Vec::new();
        for node in std::mem::take(&mut self.nodes) {
            // If a name occurs twice, the later node counts.
            let found = node
                .below()
                .into_iter()
                .rfind(|it| line.answers_to(&it.name()));
            match found {
                Some(found) => self.keep(found, &mut below),
                None => self.unborn = true,
            }
        }
        self.nodes = below;
    }

    /// Leaves out the `if`s and `match`es that are decided, where another branch or arm has the line of this
    /// name.
    fn choose(&mut self, line: &'static Line, name: &str) {
        let nodes = std::mem::take(&mut self.nodes);
        let kept = nodes.into_iter().filter(|node| {
            node.way(&line.work).is_none_or(|way| {
                let mut lines = line.work.own_lines(way).iter();
                let has_it = lines.any(|line| line.answers_to(name));
                if !has_it {
                    self.why = format!("`{}` has gone the other way", self.at);
                }
                has_it
            })
        });
        let kept = kept.collect();
        self.nodes = kept;
    }

    /// Goes down to one item or round, or to all of them.
    fn enter_key(&mut self, line: &Line, key: Option<&str>) -> Result<(), String> {
        let max = match line.work {
            Work::Loop { max, .. } => Some(max),
            _ => None,
        };
        let number = match (max, key) {
            (Some(max), Some(key)) => match key.parse::<u32>() {
                Ok(number) if number > 0 && (max == 0 || number <= max) => Some(number),
                _ if max == 0 => {
                    return Err(format!(
                        "the rounds of `{}` are numbers from 1, not `{key}`",
                        self.at
                    ));
                }
                _ => {
                    return Err(format!(
                        "the rounds of `{}` are 1 to {max}, not `{key}`",
                        self.at
                    ));
                }
            },
            _ => None,
        };
        let loop_at = self.at.clone();
        match key {
            Some(key) => path::push(&mut self.at, key),
            None => push_any(&mut self.at),
        }
        let mut below = Vec::new();
        let mut missing = None;
        for node in std::mem::take(&mut self.nodes) {
            let all = node.below();
            // The first rounds may have been left out, as they are over.
            let last = all.last().filter(|_| max.is_some());
            let last = last.and_then(|last| last.name().parse().ok());
            let count = last.unwrap_or(all.len());
            let has_begun = count > 0 || !matches!(node.status(), Status::Pending);
            match (key, max) {
                // Whichever waits, or will.
                (None, Some(max)) => {
                    self.unborn |= max == 0 || count < max as usize;
                    if let Some(last) = all.into_iter().next_back() {
                        self.keep(last, &mut below);
                    }
                }
                (None, None) => {
                    self.unborn |= !has_begun;
                    for item in all {
                        self.keep(item, &mut below);
                    }
                }
                (Some(key), _) => match all.into_iter().rfind(|it| it.name() == key) {
                    Some(found) => self.keep(found, &mut below),
                    None if number.is_some_and(|number| number as usize <= count) => {
                        self.why = format!("`{}` is done", self.at);
                    }
                    // The first round comes if the loop does; nobody knows of another one.
                    None if max.is_some() && (count > 0 || number != Some(1)) => {
                        missing = Some(format!(
                            "`{loop_at}` has had {count} rounds so far: `{loop_at}.*` is whichever \
                             waits"
                        ));
                    }
                    None if max.is_none() && has_begun => {
                        missing = Some(format!("`{loop_at}` has no item `{key}`"));
                    }
                    None => self.unborn = true,
                },
            }
        }
        self.nodes = below;
        match missing {
            Some(missing) if self.is_empty() => Err(missing),
            _ => Ok(()),
        }
    }

    /// Leaves out the steps that have a signal.
    fn can_take(&mut self) {
        let is_any = self.nodes.len() > 1;
        let why = &mut self.why;
        self.nodes.retain(|node| {
            let has = node.has_input();
            if has {
                *why = format!(
                    "{} been given one",
                    if is_any { "each has" } else { "it has" }
                );
            }
            !has
        });
    }
}

/// Returns the paths of a flow's signals, with a `*` for each key.
pub(crate) fn signals(table: &Table) -> Vec<String> {
    fn collect(lines: &[Line], above: &str, found: &mut Vec<String>) {
        for line in lines {
            let mut at = above.to_owned();
            path::push(&mut at, line.name);
            match &line.work {
                Work::Step(meta) if meta.is_signal() => found.push(at),
                Work::Step(_) => {}
                Work::Group(lines)
                | Work::Parallel(lines)
                | Work::Race(lines)
                | Work::Match { arms: lines, .. } => collect(lines, &at, found),
                Work::If {
                    then, otherwise, ..
                } => {
                    collect(then, &at, found);
                    collect(otherwise, &at, found);
                }
                Work::For { body, .. } | Work::Loop { body, .. } => {
                    push_any(&mut at);
                    collect(body, &at, found);
                }
                Work::Flow(table) => collect(table.nodes, &at, found),
            }
        }
    }
    let mut found = Vec::new();
    collect(table.nodes, "", &mut found);
    found
}
