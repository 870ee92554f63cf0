//! A report as a document.

use std::time::Duration;

use super::{
    NodeReport, Report, UndoReport,
    document::{Block, Column, Document},
};
use crate::{
    base::{clock::between, took::Took},
    model::{
        state::{Kind, Resolved},
        status::Status,
    },
};

fn span(span: Duration) -> String {
    Took(span).to_string()
}

fn maybe(taken: Option<Duration>) -> String {
    taken.map(span).unwrap_or_default()
}

/// A part of a whole as per cent; nothing where there is no whole.
fn share(part: Duration, whole: Duration) -> String {
    match whole.as_nanos() {
        0 => String::new(),
        whole => format!("{} %", (part.as_nanos() * 100 + whole / 2) / whole),
    }
}

impl Report {
    pub(super) fn document(&self) -> Document {
        let id = self.id.as_ref().map(|id| format!(" {id}"));
        let mut document = Document::new(format!(
            "{}{}: {}",
            self.flow,
            id.unwrap_or_default(),
            self.status
        ));
        document.paragraph(self.when());
        if !self.labels.is_empty() {
            let labels = self
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            document.paragraph(format!("Labels: {}", labels.collect::<Vec<_>>().join(", ")));
        }
        document.blocks.push(Block::Lines(self.tree.clone()));
        self.failures(&mut document);
        self.steps(&mut document);
        self.undos(&mut document);
        self.times(&mut document);
        self.critical(&mut document);
        document.list("Not recorded", self.notes.clone());
        document
    }

    fn when(&self) -> String {
        let Some(started) = self.started_at else {
            return "It has not begun.".to_owned();
        };
        match self.done_at {
            Some(done) => format!("From {started} to {done}: {}.", span(self.took)),
            None => format!(
                "From {started} on, so far {}, as of {}.",
                span(self.took),
                self.at
            ),
        }
    }

    fn failures(&self, document: &mut Document) {
        let mut rows = Vec::new();
        let of_steps = self.nodes.iter().filter(|node| node.kind == Kind::Step);
        for node in of_steps {
            let last = node.errors.len().saturating_sub(1);
            for (i, error) in node.errors.iter().enumerate() {
                let number = if i == 0 {
                    1
                } else {
                    u64::from(node.errors_left_out) + i as u64 + 1
                };
                // Of many that are the same, the first and the newest say it.
                if i == 0 || i == last || *error != node.errors[i - 1] {
                    rows.push(vec![node.path.clone(), number.to_string(), error.clone()]);
                }
            }
        }
        if rows.is_empty() && self.status != Status::Done {
            let own = self.errors.iter().enumerate();
            rows.extend(
                own.map(|(i, error)| vec![self.flow.clone(), (i + 1).to_string(), error.clone()]),
            );
        }
        let columns = [
            Column::Text("step"),
            Column::Number("error"),
            Column::Text("text"),
        ];
        document.table("Errors", &columns, rows);
    }

    fn steps(&self, document: &mut Document) {
        let start = self.started_at;
        let row = |node: &NodeReport| {
            let after = start.zip(node.started_at);
            vec![
                node.path.clone(),
                kind(node),
                node.status.to_string(),
                maybe(after.map(|(start, began)| between(start, began))),
                maybe(node.took),
                node.attempts.to_string(),
                maybe(node.took.map(|_| node.time.work)),
                maybe(node.took.map(|_| node.time.waiting())),
            ]
        };
        let steps = self.nodes.iter().filter(|node| node.kind == Kind::Step);
        let columns = [
            Column::Text("step"),
            Column::Text("kind"),
            Column::Text("status"),
            Column::Number("began after"),
            Column::Number("took"),
            Column::Number("attempts"),
            Column::Number("at work"),
            Column::Number("waiting"),
        ];
        document.table("Steps", &columns, steps.map(row).collect());
    }

    fn undos(&self, document: &mut Document) {
        let undo = |place: &usize| {
            let node = &self.nodes[*place];
            let undo = node.undo.as_ref().filter(|_| node.kind == Kind::Step)?;
            Some(vec![
                node.path.clone(),
                how(undo, node.status).to_owned(),
                undo.started_at
                    .map(|time| time.to_string())
                    .unwrap_or_default(),
                maybe(undo.took),
                undo.attempts.to_string(),
                undo.error.clone(),
            ])
        };
        let columns = [
            Column::Text("step"),
            Column::Text("undo"),
            Column::Text("began"),
            Column::Number("took"),
            Column::Number("attempts"),
            Column::Text("error"),
        ];
        document.table(
            "Undone",
            &columns,
            self.undone.iter().filter_map(undo).collect(),
        );
    }

    fn times(&self, document: &mut Document) {
        let sum = self.time.parts().iter().map(|(_, _, part)| *part).sum();
        let parts = self
            .time
            .parts()
            .into_iter()
            .filter(|(_, _, part)| *part > Duration::ZERO);
        let mut rows: Vec<_> = parts
            .map(|(_, name, part)| vec![format!("steps {name}"), span(part), share(part, sum)])
            .collect();
        if rows.is_empty() {
            return;
        }
        if let Some(queue) = self.queue {
            rows.push(vec![
                "from its creation to its beginning".to_owned(),
                span(queue),
                String::new(),
            ]);
        }
        rows.push(vec![
            "no step under way".to_owned(),
            span(self.idle),
            String::new(),
        ]);
        let columns = [
            Column::Text("time"),
            Column::Number("took"),
            Column::Number("of the steps’ sum"),
        ];
        document.table("Where time went", &columns, rows);
    }

    fn critical(&self, document: &mut Document) {
        let row = |place: usize, took: Duration, mark: &str| {
            vec![
                format!("{}{mark}", self.nodes[place].path),
                span(took),
                share(took, self.took),
            ]
        };
        let columns = [
            Column::Text("step"),
            Column::Number("took"),
            Column::Number("of the whole"),
        ];
        let path = self.critical_path.iter();
        let path = path.map(|on| row(on.node, on.took, if on.assumed { " ?" } else { "" }));
        document.table("Critical path", &columns, path.collect());
        let slowest = self.slowest.iter().map(|place| {
            let took = self.nodes[*place].took.unwrap_or_default();
            row(*place, took, "")
        });
        document.table("Slowest steps", &columns, slowest.collect());
    }
}

fn kind(node: &NodeReport) -> String {
    match (node.step_kind, &node.child) {
        (Some(kind), Some(child)) => format!("{kind} {child}"),
        (Some(kind), None) => kind.to_string(),
        (None, _) => String::new(),
    }
}

fn how(undo: &UndoReport, status: Status) -> &'static str {
    match (undo.resolved, status) {
        (Some(Resolved::Skipped), _) => "skipped by hand",
        (Some(Resolved::Undone), _) => "undone by hand",
        (None, Status::UndoFailed) => "failed",
        (None, Status::Undone) => "undone",
        (None, _) => "under way",
    }
}
