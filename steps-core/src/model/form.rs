//! The form of a flow: the lines that it has, as they are kept beside the executions that were begun
//! by it, so that another program can say in which of them it differs.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    state::Kind,
    table::{Line, Table, Work},
};

/// A line of a form, which is kept as a pair.
#[derive(Clone, Debug)]
pub(crate) struct FormLine {
    /// For each level of its path the names that the level may have, its own first. An item or a round
    /// is a level called `*`, and an `else` one called `else`.
    path: Vec<Vec<String>>,
    /// What it is.
    is: String,
}

impl Serialize for FormLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.path, &self.is).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FormLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, is) = Deserialize::deserialize(deserializer)?;
        Ok(Self { path, is })
    }
}

const EACH: &str = "*";
const ELSE: &str = "else";

/// Returns the lines of a flow, each before those below it.
pub(crate) fn lines_of(table: &Table) -> Vec<FormLine> {
    let mut form = Vec::new();
    add(table.nodes, &[], &mut form);
    form
}

fn add(lines: &[Line], above: &[Vec<String>], form: &mut Vec<FormLine>) {
    for line in lines {
        let names = std::iter::once(&line.name).chain(line.aliases);
        let mut path = above.to_vec();
        path.push(names.map(|&name| name.to_owned()).collect());
        form.push(FormLine {
            path: path.clone(),
            is: what(line).to_owned(),
        });
        for (level, lines) in below(&line.work) {
            let level = level.map(|level| vec![level.to_owned()]);
            let path: Vec<_> = path.iter().cloned().chain(level).collect();
            add(lines, &path, form);
        }
    }
}

/// Returns what a line is, where it matters for what it does: a step may save its output or not.
fn what(line: &Line) -> &'static str {
    match &line.work {
        Work::Step(meta) => match meta.kind {
            Some(kind) if !kind.is_call() => kind.as_str(),
            _ => Kind::Step.as_str(),
        },
        Work::Group(_)
        | Work::Parallel(_)
        | Work::Race(_)
        | Work::If { .. }
        | Work::Match { .. }
        | Work::For { .. }
        | Work::Loop { .. }
        | Work::Flow(_) => line.kind().as_str(),
    }
}

/// Returns the lines below a line, and the level between, if there is one.
fn below(work: &Work) -> [(Option<&'static str>, &'static [Line]); 2] {
    match work {
        Work::Step(_) => [(None, &[]); 2],
        Work::Group(lines)
        | Work::Parallel(lines)
        | Work::Race(lines)
        | Work::Match { arms: lines, .. } => [(None, lines), (None, &[])],
        Work::For { body, .. } | Work::Loop { body, .. } => [(Some(EACH), body), (None, &[])],
        Work::If {
            then, otherwise, ..
        } => [(None, then), (Some(ELSE), otherwise)],
        Work::Flow(table) => [(None, table.nodes), (None, &[])],
    }
}

/// In which lines a program differs from a newer form of its flow. Each is told by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differing {
    /// The newer form has them.
    pub(crate) lacking: Vec<String>,
    /// The newer form has them no more, and the program would run them.
    pub(crate) gone: Vec<String>,
    /// They stand before others that they stand behind in the newer form.
    pub(crate) moved: Vec<String>,
    /// They are something else in the newer form: with what they are there, and here.
    pub(crate) other: Vec<(String, [String; 2])>,
}

impl Differing {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            lacking,
            gone,
            moved,
            other,
        } = self;
        lacking.is_empty() && gone.is_empty() && moved.is_empty() && other.is_empty()
    }
}

/// Compares a newer form with a program's own. A line is the same under any of its names. What is below
/// a line that differs is not told.
pub(crate) fn differing(newer: &[FormLine], own: &[FormLine]) -> Differing {
    let (in_newer, in_own) = (ByName::of(newer), ByName::of(own));
    let mut other = Vec::new();
    let mut above: Option<&FormLine> = None;
    for line in newer {
        if let Some(same) = in_own.find(line)
            && !is_alike(&same.is, &line.is)
            && !above.is_some_and(|above| line.path.starts_with(&above.path))
        {
            above = Some(line);
            other.push((line.shown(), [line.is.clone(), same.is.clone()]));
        }
    }
    let is_told = |path: &str| other.iter().any(|(told, _)| is_below(path, told));
    let missing = |lines: &[FormLine], there: &ByName<'_>| {
        let mut missing: Vec<&FormLine> = Vec::new();
        for line in lines {
            let is_below = |above: &&FormLine| line.path.starts_with(&above.path);
            // Each stands right before those below it.
            if !missing.last().is_some_and(is_below) && there.find(line).is_none() {
                missing.push(line);
            }
        }
        let missing = missing.into_iter().map(FormLine::shown);
        missing.filter(|path| !is_told(path)).collect()
    };
    Differing {
        moved: moved(newer, &in_own),
        lacking: missing(newer, &in_own),
        gone: missing(own, &in_newer),
        other,
    }
}

/// Whether two lines are the same kind of line: a group may run its lines at once.
fn is_alike(one: &str, other: &str) -> bool {
    let is_group = |is: &str| is == Kind::Group.as_str() || is == Kind::Parallel.as_str();
    one == other || is_group(one) && is_group(other)
}

/// Returns the lines that a program has before others which they stand behind in a newer form, but for
/// those of a `parallel`.
fn moved(newer: &[FormLine], own: &ByName<'_>) -> Vec<String> {
    let mut at_once: HashSet<&[Vec<String>]> = HashSet::new();
    let mut last: HashMap<&[Vec<String>], usize> = HashMap::new();
    let mut moved = Vec::new();
    for line in newer {
        let unordered = [Kind::Parallel, Kind::Race, Kind::Match];
        if unordered.map(Kind::as_str).contains(&&*line.is) {
            at_once.insert(&line.path);
        }
        let above = &line.path[..line.path.len().saturating_sub(1)];
        if at_once.contains(above) {
            continue;
        }
        let Some((index, _)) = own.find_at(line) else {
            continue;
        };
        let last = last.entry(above).or_insert(index);
        if index < *last {
            moved.push(line.shown());
        }
        *last = index.max(*last);
    }
    moved
}

/// Whether a path is below another one.
fn is_below(path: &str, above: &str) -> bool {
    let below = path.strip_prefix(above);
    below.is_some_and(|below| below.starts_with('.'))
}

impl FormLine {
    fn shown(&self) -> String {
        let levels = self.path.iter().filter_map(|names| names.first());
        let levels = levels.filter(|name| *name != ELSE);
        levels.map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// Whether the two lines may have been saved under one path.
    fn is_at(&self, other: &Self) -> bool {
        let share = |(ours, theirs): (&Vec<String>, &Vec<String>)| {
            ours.iter().any(|name| theirs.contains(name))
        };
        self.path.len() == other.path.len() && self.path.iter().zip(&other.path).all(share)
    }
}

/// The lines of a form by each of their own names.
struct ByName<'a>(HashMap<&'a str, Vec<(usize, &'a FormLine)>>);

impl<'a> ByName<'a> {
    fn of(lines: &'a [FormLine]) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            for name in line.path.last().into_iter().flatten() {
                by_name
                    .entry(name.as_str())
                    .or_default()
                    .push((index, line));
            }
        }
        Self(by_name)
    }

    fn find(&self, line: &FormLine) -> Option<&'a FormLine> {
        self.find_at(line).map(|(_, line)| line)
    }

    /// Returns the number of the line, too.
    fn find_at(&self, line: &FormLine) -> Option<(usize, &'a FormLine)> {
        let names = line.path.last().into_iter().flatten();
        names
            .filter_map(|name| self.0.get(name.as_str()))
            .flatten()
            .find(|(_, other)| other.is_at(line))
            .copied()
    }
}

#[cfg(test)]
mod tests;
