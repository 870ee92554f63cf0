//! The rules: an arrow goes down only, and circles are small.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    CIRCLE, Crate,
    modules::{Arrow, Modules},
};

/// Returns the violations of the rules, each with its file and line.
pub(super) fn check(krate: &Crate, modules: &Modules) -> Vec<String> {
    let mut problems = unknown(krate, modules);
    let mut sound = Vec::new();
    for arrow in modules.arrows() {
        match goes_up(krate, &arrow).or_else(|| takes_all(krate, &arrow)) {
            Some(problem) => problems.push(problem),
            None => sound.push(arrow),
        }
    }
    // Arrows with a problem are left out: with them, most files would be in one circle.
    problems.extend(circles(&sound));
    problems
}

/// Returns the modules that are missing from the table.
fn unknown(krate: &Crate, modules: &Modules) -> Vec<String> {
    let known = |name: &&str| krate.free.contains(name) || krate.floor(name).is_some();
    let unknown = modules.of_root().filter(|name| !known(name));
    unknown
        .map(|name| {
            format!(
                "{}/lib.rs: `{name}` is on no floor: add it to the table in `xtask/src/layers`",
                krate.folder
            )
        })
        .collect()
}

impl Crate {
    fn floor(&self, module: &str) -> Option<usize> {
        self.floors.iter().position(|floor| floor.contains(&module))
    }

    fn floor_of(&self, module: &[String]) -> Option<usize> {
        self.floor(module.first()?)
    }

    fn order(&self) -> String {
        let floors: Vec<String> = self.floors.iter().map(|floor| floor.join(", ")).collect();
        floors.join(" → ")
    }
}

fn goes_up(krate: &Crate, arrow: &Arrow<'_>) -> Option<String> {
    let floor = krate.floor_of(arrow.from_module)?;
    let above = arrow.via.iter().find(|module| {
        let to = krate.floor_of(module);
        to.is_some_and(|to| to > floor)
    })?;
    Some(format!(
        "{}:{}: `{}` imports `{}`, of `{}` above it; a file imports from its own floor and those \
         below it: {}",
        arrow.from.display(),
        arrow.line,
        arrow.from_module[0],
        arrow.path,
        above[0],
        krate.order()
    ))
}

/// Reports `use crate::*`, because it does not show which items it imports, and from which floor.
fn takes_all(krate: &Crate, arrow: &Arrow<'_>) -> Option<String> {
    let floor = krate.floor_of(arrow.from_module)?;
    let root = arrow.via.last().is_some_and(|module| module.is_empty());
    let only_keywords = (arrow.path.split("::")).all(|name| matches!(name, "crate" | "super"));
    (root && only_keywords && floor + 1 < krate.floors.len()).then(|| {
        format!(
            "{}:{}: `{}` imports `{}::*`, which takes what is of a floor above, too: name what is \
             needed",
            arrow.from.display(),
            arrow.line,
            arrow.from_module[0],
            arrow.path,
        )
    })
}

/// Returns the groups of too many files that all import each other, directly or indirectly.
fn circles(arrows: &[Arrow<'_>]) -> Vec<String> {
    let mut targets: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| !arrow.from_below) {
        targets.entry(arrow.from).or_default().insert(arrow.to);
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = targets
        .keys()
        .map(|file| (*file, reached(&targets, file)))
        .collect();
    let leads = |from: &Path, to: &Path| reached.get(from).is_some_and(|all| all.contains(to));
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    for file in reached.keys() {
        let circle: BTreeSet<&Path> = reached[file]
            .iter()
            .filter(|other| leads(other, file))
            .copied()
            .collect();
        if circle.len() <= CIRCLE || !told.insert(circle.clone()) {
            continue;
        }
        let mut lines = vec![format!(
            "{}: {} files import each other in a circle; at most {CIRCLE} may:",
            file.display(),
            circle.len()
        )];
        let mut shown = BTreeSet::new();
        for arrow in arrows.iter().filter(|arrow| !arrow.from_below) {
            let inside = circle.contains(arrow.from) && circle.contains(arrow.to);
            if inside && shown.insert((arrow.from, arrow.to)) {
                let (from, to) = (arrow.from.display(), arrow.to.display());
                lines.push(format!(
                    "  {from}:{}: imports `{}` of {to}",
                    arrow.line, arrow.path
                ));
            }
        }
        problems.push(lines.join("\n"));
    }
    problems
}

/// Returns the files that a file imports, directly or indirectly.
fn reached<'a>(
    targets: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
    from: &'a Path,
) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for to in targets.get(file).into_iter().flatten() {
            if reached.insert(*to) {
                open.push(to);
            }
        }
    }
    reached
}
