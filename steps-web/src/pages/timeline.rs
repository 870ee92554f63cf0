//! The steps of an execution in time: a bar for each, drawn on the server. Beside the bar of a step stands
//! that of its undo; the part of a bar that is hatched is waiting.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};
use steps::{
    Status,
    report::{NodeReport, Report},
    state::StepKind,
};

use crate::{
    look::Look,
    text::{between, status_name, time, took},
};

/// How many bars there are at most.
const BARS: usize = 400;

/// How many marks the axis has.
const MARKS: u32 = 4;

/// From when until when it is drawn.
struct Axis {
    from: Timestamp,
    length: Duration,
}

impl Axis {
    fn of(report: &Report) -> Option<Self> {
        let begun = report.nodes.iter().filter_map(|node| node.started_at);
        let from = begun.min()?;
        let mut to = from;
        for node in &report.nodes {
            let undo = node.undo.as_ref();
            let undo_end = undo
                .and_then(|it| it.started_at)
                .map(|_| undo.and_then(|it| it.done_at).unwrap_or(report.at));
            let end = node.started_at.map(|_| node.done_at.unwrap_or(report.at));
            to = [Some(to), end, undo_end]
                .into_iter()
                .flatten()
                .max()
                .unwrap_or(to);
        }
        let length = between(from, to).max(Duration::from_nanos(1));
        Some(Self { from, length })
    }

    /// Where a moment is, in hundredths.
    fn at(&self, time: Timestamp) -> f64 {
        let at = between(self.from, time).as_secs_f64() / self.length.as_secs_f64();
        (at * 100.0).clamp(0.0, 100.0)
    }
}

pub(crate) fn show(look: &Look) -> Markup {
    let report = look.report();
    let Some(axis) = Axis::of(&report) else {
        return html! { p { "Nothing has begun yet." } };
    };
    let begun = |node: &&NodeReport| node.started_at.is_some() && !node.path.is_empty();
    let count = report.nodes.iter().filter(begun).count();
    html! {
        p .help {
            "From " (time(Some(axis.from))) ", for " (took(axis.length)) ". "
            span .key { svg width="18" height="10" aria-hidden="true" { rect .bar .s-done width="100%" height="10" {} } " at work" } " "
            span .key { svg width="18" height="10" aria-hidden="true" { rect .bar .wait width="100%" height="10" {} } " waiting" } " "
            span .key { svg width="18" height="10" aria-hidden="true" { rect .bar .undo width="100%" height="10" {} } " undo" }
        }
        ol .timeline {
            li .axis aria-hidden="true" {
                span {}
                span .marks {
                    @for mark in 0..=MARKS { span { (took(axis.length * mark / MARKS)) } }
                }
            }
            @for node in report.nodes.iter().filter(begun).take(BARS) { (row(node, &axis, report.at)) }
        }
        @if count > BARS { p .help { (count - BARS) " more are left out; the report has all of them." } }
    }
}

fn row(node: &NodeReport, axis: &Axis, now: Timestamp) -> Markup {
    let name = steps::state::path::split(&node.path)
        .last()
        .unwrap_or_default();
    let started = node.started_at.unwrap_or(axis.from);
    let ended = node.done_at.unwrap_or(now);
    let (from, to) = (axis.at(started), axis.at(ended));
    let waits = wait(node);
    // Where the pauses were is not recorded, but that the last attempt came after them.
    let waited = match node.took {
        Some(took) if !took.is_zero() => {
            (waits.as_secs_f64() / took.as_secs_f64()).min(1.0) * (to - from)
        }
        _ => 0.0,
    };
    let told = told(node, waits);
    let undo = node.undo.as_ref().and_then(|undo| {
        let began = undo.started_at?;
        Some((axis.at(began), axis.at(undo.done_at.unwrap_or(now)), undo))
    });
    html! {
        li {
            span class={ "label d" (node.depth.saturating_sub(1).min(12)) } { (name) }
            span .lane {
                svg width="100%" height="16" role="img" aria-label=(told) {
                    title { (told) }
                    rect .bar .{ "s-" (forward(node)) } x=(percent(from)) y="3"
                        width=(percent(to - from)) height="10" rx="2" {}
                    @if waited > 0.0 {
                        rect .bar .wait x=(percent(from)) y="3" width=(percent(waited)) height="10" rx="2" {}
                    }
                    // However short it was, there is something to see.
                    rect .edge .{ "s-" (forward(node)) } x=(percent(from.min(99.7))) y="3" width="3" height="10" {}
                    @if let Some((from, to, _)) = &undo {
                        rect .bar .undo x=(percent(*from)) y="3" width=(percent(to - from)) height="10" rx="2" {}
                        rect .edge .undo x=(percent(from.min(99.7))) y="3" width="3" height="10" {}
                    }
                }
            }
            span .length {
                @if let Some(length) = node.took { (took(length)) }
                @if node.attempts > 1 { " · " (node.attempts) " attempts" }
                @if let Some((_, _, undo)) = &undo {
                    " · undo" @if let Some(length) = undo.took { " " (took(length)) }
                }
            }
        }
    }
}

/// How it ended before it was undone, if it was.
fn forward(node: &NodeReport) -> &'static str {
    match (&node.undo, node.errors.is_empty()) {
        (Some(_), true) => Status::Done.as_str(),
        (Some(_), false) => Status::Failed.as_str(),
        (None, _) => node.status.as_str(),
    }
}

/// How long a step waited, as far as that is known.
fn wait(node: &NodeReport) -> Duration {
    match node.step_kind {
        Some(StepKind::Sleep | StepKind::Signal | StepKind::Join) => node.took.unwrap_or_default(),
        _ => node.time.waiting(),
    }
}

fn told(node: &NodeReport, waits: Duration) -> String {
    let mut parts = vec![format!("{}: {}", node.path, status_name(node.status))];
    parts.extend(node.took.map(took));
    if !waits.is_zero() {
        parts.push(format!("of which {} waiting", took(waits)));
    }
    if node.attempts > 1 {
        parts.push(format!("{} attempts", node.attempts));
    }
    if let Some(undo) = &node.undo {
        let length = undo.took.map(took).unwrap_or_default();
        parts.push(match undo.attempts {
            0 | 1 => format!("undo {length}"),
            more => format!("undo {length} in {more} attempts"),
        });
    }
    parts.join(", ")
}

fn percent(part: f64) -> String {
    format!("{part:.2}%")
}
