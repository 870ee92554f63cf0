//! Which forms of a flow the store knows, in the order in which they were first seen, and whether an
//! execution of a newer one may be taken up by this program.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::SystemTime,
};

use super::engine_core::EngineCore;
use crate::{
    base::{json::Json, sync::lock},
    language::flow::Flow,
    model::{
        form::{Differing, differing, lines_of},
        table::Table,
    },
    store::{ErrorKind, Form, Refuser, StoreError},
};

/// How many of those who have refused an execution are remembered.
const REFUSERS: usize = 32;

/// What an engine has learned of forms. All of it is in the store.
#[derive(Default)]
pub(crate) struct Forms {
    /// The numbers of this program's own, by their fingerprints.
    own: Mutex<HashMap<u64, i64>>,
    /// In what an own one differs from a newer one, by their numbers.
    newer: Mutex<HashMap<(i64, i64), Arc<Differing>>>,
    /// The newer ones that a log line has told of, each with the number of the own form.
    told: Mutex<HashSet<(i64, i64)>>,
}

/// What tells this build of the program from another one whose flows have the same fingerprints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build(u64);

impl Build {
    /// Returns the build of a given name.
    pub(crate) fn named(name: &str) -> Self {
        Self(hash(name))
    }

    /// Returns the build of the program that runs: its file's length, and when that was changed.
    pub(crate) fn of_program() -> Self {
        let file = std::env::current_exe().and_then(std::fs::metadata);
        let file = file.map(|file| {
            let changed = file.modified().ok();
            let changed = changed.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            (file.len(), changed)
        });
        Self(hash(file.ok()))
    }

    /// Returns who refuses an execution of this flow. Two flows of one program may have the same
    /// fingerprint, so the type counts, too.
    pub(crate) fn refuser<F: Flow>(self) -> Refuser {
        Refuser {
            fingerprint: F::FINGERPRINT,
            build: hash((self.0, std::any::type_name::<F>())),
        }
    }
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Returns all who have refused an execution, with one more.
pub(crate) fn refused_by(mut before: Vec<Refuser>, by: Refuser) -> Vec<Refuser> {
    before.retain(|other| *other != by);
    before.push(by);
    let too_many = before.len().saturating_sub(REFUSERS);
    before.drain(..too_many);
    before
}

impl EngineCore {
    /// Returns the number of a form of this program, which is kept in the store.
    pub(crate) async fn form_of(&self, table: &Table, fingerprint: u64) -> Result<i64, StoreError> {
        if let Some(number) = self.own_form(fingerprint) {
            return Ok(number);
        }
        let lines = Json::encode(&lines_of(table));
        let number = self.store.keep_form(Form {
            flow: table.name.to_owned(),
            fingerprint,
            lines: lines.map_err(|error| StoreError::new(ErrorKind::Other, error.to_string()))?,
        });
        let number = number.await?;
        lock(&self.forms.own).insert(fingerprint, number);
        Ok(number)
    }

    /// Returns the number of a form of this program, if it was asked for before.
    pub(crate) fn own_form(&self, fingerprint: u64) -> Option<i64> {
        lock(&self.forms.own).get(&fingerprint).copied()
    }

    /// Returns in which lines this flow differs, if an execution was begun, or gone on with, by a newer
    /// form than its own, and it does.
    pub(crate) async fn differing(
        &self,
        table: &Table,
        own: i64,
        of_execution: Option<i64>,
    ) -> Result<Option<Arc<Differing>>, StoreError> {
        let Some(newer) = of_execution.filter(|number| *number > own) else {
            return Ok(None);
        };
        let known = lock(&self.forms.newer).get(&(own, newer)).cloned();
        let differing = match known {
            Some(differing) => differing,
            None => {
                let unreadable = |error| {
                    let message = format!("the form {newer} of the flow can't be read: {error}");
                    StoreError::new(ErrorKind::Other, message)
                };
                let form = self.store.form(newer).await?;
                let lines = form.map(|form| serde_json::from_str::<Vec<_>>(form.lines.get()));
                let lines = lines.transpose().map_err(unreadable)?;
                let differing = lines.map(|lines| differing(&lines, &lines_of(table)));
                let differing = Arc::new(differing.unwrap_or_default());
                lock(&self.forms.newer).insert((own, newer), Arc::clone(&differing));
                differing
            }
        };
        Ok(Some(differing).filter(|differing| !differing.is_empty()))
    }

    /// Returns whether a log line is to tell of this newer form, as none has yet.
    pub(crate) fn is_new(&self, own: i64, newer: Option<i64>) -> bool {
        newer.is_some_and(|newer| lock(&self.forms.told).insert((own, newer)))
    }
}

/// Says why an execution of a newer form is not taken up.
pub(crate) fn newer_form(table: &Table, differing: &Differing) -> String {
    let name = table.name;
    format!(
        "it was begun by a newer form of the flow `{name}`, {}: it is left to a program of that form. \
         To run it by this one, as after going back to an older version, serve the flow with \
         `{name}::with(…).take_newer()`",
        told(differing)
    )
}

/// Says in which lines a program differs from a newer form.
pub(crate) fn told(differing: &Differing) -> String {
    let Differing {
        lacking,
        gone,
        moved,
        other,
    } = differing;
    let other: Vec<String> = other
        .iter()
        .map(|(path, [newer, own])| format!("`{path}` as a `{newer}`, which is a `{own}` here"))
        .collect();
    let mut all = Vec::new();
    if !lacking.is_empty() {
        all.push(format!(
            "with {}, which this program has not",
            lines(lacking)
        ));
    }
    if !gone.is_empty() {
        all.push(format!("without {}, which this program has", lines(gone)));
    }
    if !moved.is_empty() {
        all.push(format!("with {} in another place", lines(moved)));
    }
    if !other.is_empty() {
        all.push(format!("with {}", first(&other)));
    }
    all.join(", and ")
}

/// Names some lines.
fn lines(paths: &[String]) -> String {
    let word = if paths.len() == 1 { "line" } else { "lines" };
    let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    format!("the {word} {}", first(&paths))
}

/// Returns the first few of a list, and how many more there are.
fn first(texts: &[String]) -> String {
    const MOST: usize = 3;
    match texts.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} and {more} more", texts[..MOST].join(", ")),
        _ => texts.join(", "),
    }
}
