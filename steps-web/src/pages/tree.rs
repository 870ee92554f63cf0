//! The steps of an execution as a tree: a line for each, which opens to what is recorded of it.

use std::borrow::Cow;

use maud::{Markup, html};
use steps::{
    State, Status,
    state::{Kind, Resolved, Until, path},
};

use super::{
    facts::value,
    parts::{away, execution, status, time},
    task,
};
use crate::{
    look::Look,
    text::{between, first_line, took},
    visit::Visit,
};

/// How many lines there are at most.
const LINES: usize = 2000;

/// How many of the nodes that are over stand below one, where there are very many: the last ones.
const OVER: usize = 100;

/// How much of an error stands in a line.
const ERROR: usize = 300;

pub(crate) fn show(visit: &Visit, look: &Look) -> Markup {
    let mut lines = Lines {
        look,
        visit,
        all: Vec::new(),
        left_out: 0,
    };
    lines.below(&look.tree, "", 0);
    html! {
        @if lines.all.is_empty() { p { "Nothing has begun yet." } }
        ol .tree { @for line in &lines.all { (line) } }
        @if lines.left_out > 0 {
            p .help { (lines.left_out) " more are left out; the API has all of them." }
        }
    }
}

struct Lines<'a> {
    look: &'a Look,
    visit: &'a Visit,
    all: Vec<Markup>,
    left_out: usize,
}

impl Lines<'_> {
    fn below(&mut self, node: &State, above: &str, depth: usize) {
        let is_over =
            |node: &State| matches!(node.status, Status::Done | Status::Undone | Status::Skipped);
        let over = node.states.iter().filter(|below| is_over(below)).count();
        let mut skip = if node.states.len() > 2 * OVER {
            over.saturating_sub(OVER)
        } else {
            0
        };
        let skipped = skip;
        for below in &node.states {
            if skip > 0 && is_over(below) {
                skip -= 1;
                self.left_out += below.walk().count();
                continue;
            }
            if self.all.len() >= LINES {
                self.left_out += below.walk().count();
                continue;
            }
            let mut at = above.to_owned();
            path::push(&mut at, &below.name);
            self.all.push(self.line(below, &at, depth));
            self.below(below, &at, depth + 1);
        }
        if skipped > 0 && self.all.len() < LINES {
            self.all.push(html! {
                li class={ "node d" (depth.min(12)) } { p .help { (skipped) " earlier ones that are over" } }
            });
        }
    }

    fn line(&self, node: &State, at: &str, depth: usize) -> Markup {
        html! {
            li class={ "node d" (depth.min(12)) } {
                details id={ "node-" (at) } {
                    summary {
                        span .level { "Level " (depth + 1) ": " }
                        span .name { (name(node)) }
                        " " (status(node.status))
                        @if let Some(took) = length(node) { " " span .took { (took) } }
                        @for note in notes(node, self.look) { " " span .note { (note) } }
                        @if let Some(error) = node.errors.last().filter(|error| !error.is_empty()) {
                            " " span .why { (first_line(error, ERROR)) }
                        }
                        @if let Some(undo) = node.undo.as_ref().filter(|undo| !undo.err.is_empty()) {
                            " " span .why { "undo: " (first_line(&undo.err, ERROR)) }
                        }
                    }
                    (self.opened(node, at))
                }
            }
        }
    }

    fn opened(&self, node: &State, at: &str) -> Markup {
        let now = self.look.at;
        html! {
            div .opened {
                dl .facts {
                    dt { "Path" } dd { code { (at) } }
                    dt { "Kind" }
                    dd { (node.kind.as_str()) @if let Some(kind) = node.step_kind { ", " (kind.as_str()) } }
                    @if node.started_at.is_some() { dt { "Started" } dd { (time(node.started_at, now)) } }
                    @if node.done_at.is_some() { dt { "Ended" } dd { (time(node.done_at, now)) } }
                    @if node.attempts > 0 { dt { "Attempts" } dd { (node.attempts) } }
                    @if let Some(waited) = node.waited { dt { "Paused between them" } dd { (took(waited)) } }
                    @if node.deadline.is_some() { dt { "Deadline" } dd { (time(node.deadline, now)) } }
                    @if let Some(child) = node.child_execution() {
                        dt { "Child" } dd { a href=(execution(self.visit, &child)) { (child) } }
                    }
                    @if !node.needs.is_empty() { dt { "After" } dd { (node.needs.join(", ")) } }
                    @if let Some(cause) = node.cause { dt { "Cause" } dd { (cause.as_str()) } }
                    @if let Some(decision) = node.decision { dt { "Decision" } dd { (decision) } }
                    @if let Some(chosen) = &node.chosen { dt { "Chosen" } dd { (chosen) } }
                }
                @if let Some(progress) = node.progress.filter(|it| it.total > 0) {
                    p {
                        progress value=(progress.done) max=(progress.total) aria-label="Progress" {}
                        " " (progress.done) " of " (progress.total)
                    }
                }
                @if let Some(task) = &node.task { (task::show(self.visit, node, task)) }
                @if !node.errors.is_empty() { (errors(node)) }
                @if let Some(undo) = &node.undo {
                    h4 { "Undo" }
                    dl .facts {
                        @if undo.started_at.is_some() { dt { "Started" } dd { (time(undo.started_at, now)) } }
                        @if undo.done_at.is_some() { dt { "Ended" } dd { (time(undo.done_at, now)) } }
                        @if undo.attempts > 0 { dt { "Attempts" } dd { (undo.attempts) } }
                        @if undo.until.is_some() { dt { "Again" } dd { (time(undo.until, now)) } }
                        @if let Some(resolved) = undo.resolved { dt { "An operator" } dd { (decided(resolved)) } }
                    }
                    @if !undo.err.is_empty() { pre .error { (undo.err) } }
                }
                @for (name, json) in [
                    ("Input", &node.input), ("Before", &node.before), ("Output", &node.output),
                    ("After", &node.after), ("Working data", &node.info),
                ] {
                    @if let Some(json) = json { h4 { (name) } (value(json.get())) }
                }
                @if let Some(error) = &node.after_err { h4 { "Looking after it failed" } pre .error { (error) } }
            }
        }
    }
}

fn errors(node: &State) -> Markup {
    html! {
        h4 { "Errors" }
        ol .errors {
            @for (index, error) in node.errors.iter().enumerate() {
                li { pre .error { (error) } }
                @if index == 0 && node.errors_left_out > 0 {
                    li .help { (node.errors_left_out) " more were not kept" }
                }
            }
        }
    }
}

fn name(node: &State) -> Cow<'_, str> {
    match node.kind {
        Kind::Round => Cow::Owned(format!("round {}", node.name)),
        _ if node.name.is_empty() => Cow::Borrowed("(no name)"),
        _ => Cow::Borrowed(&*node.name),
    }
}

fn decided(resolved: Resolved) -> &'static str {
    match resolved {
        Resolved::Skipped => "has skipped it: the effect stays",
        _ => "has marked it as undone by hand",
    }
}

fn length(node: &State) -> Option<String> {
    Some(took(between(node.started_at?, node.done_at?)))
}

/// What stands in a line beside the status.
fn notes(node: &State, look: &Look) -> Vec<String> {
    let mut notes = Vec::new();
    if node.attempts > 1 {
        notes.push(format!("{} attempts", node.attempts));
    }
    match node.deaths {
        0 => {}
        1 => notes.push("its process died".to_owned()),
        deaths => notes.push(format!("its process died {deaths} times")),
    }
    if let Some(progress) = node.progress.filter(|_| !node.status.is_final()) {
        notes.push(match progress.total {
            0 => format!("{} so far", progress.done),
            total => format!("{} of {total}", progress.done),
        });
    }
    if node.status == Status::Waiting {
        match node.until {
            Some(Until::Time(time)) => notes.push(away(time, look.at)),
            Some(Until::Signal) => notes.push("for a signal".to_owned()),
            Some(Until::Child) => notes.push("for its child".to_owned()),
            Some(Until::Report) => notes.push(task::note(node.task.as_deref())),
            _ => {}
        }
    }
    if let (Status::Undoing, Some(time)) = (node.status, node.undo.as_ref().and_then(|it| it.until))
    {
        notes.push(format!("undo again {}", away(time, look.at)));
    }
    if (node.kind, node.decision) == (Kind::If, Some(false)) {
        notes.push(
            if node.states.is_empty() {
                "not taken"
            } else {
                "else"
            }
            .to_owned(),
        );
    }
    notes
}
