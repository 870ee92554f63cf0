//! The charts of statistics, drawn on the server as SVG.

use jiff::Timestamp;
use maud::{Markup, html};
use steps::store::{HourStatistics, PeriodStatistics, Statistics, StepStatistics};

use super::statistics::rate;
use crate::text::{time, took};

/// How many bars there are at most; of a longer time, several hours are one.
const BARS: i64 = 168;

/// What happened in one or more hours.
#[derive(Clone, Copy, Default)]
struct Bar {
    created: u64,
    done: u64,
    failed: u64,
}

/// Executions by hour: created as a frame, ended as a bar.
pub(super) fn hours(all: &Statistics) -> Markup {
    if all.hours.is_empty() {
        return html! { p { "Nothing was created in that time." } };
    }
    let hour = |time: Timestamp| time.as_second().div_euclid(3600);
    let begun = all.hours.iter().map(|it| hour(it.from)).min();
    let first = begun.unwrap_or_default().min(hour(all.period.start));
    let first = Timestamp::from_second(first * 3600).unwrap_or(all.period.start);
    let (bars, each) = bars(first, all.period.end, &all.hours);
    let most = bars
        .iter()
        .map(|bar| bar.created.max(bar.done + bar.failed))
        .max();
    let most = most.unwrap_or(1).max(1);
    let end = after(first, each * i64::try_from(bars.len()).unwrap_or(i64::MAX));
    let height = |count: u64| part(count, most) * 100.0;
    let width = bars.len();
    html! {
        p .help {
            "At most " (most) " in " @if each == 1 { "an hour" } @else { (each) " hours" } ". "
            span .key { svg .chart-key width="18" height="10" aria-hidden="true" { rect .bar .s-done width="100%" height="10" {} } " done" } " "
            span .key { svg width="18" height="10" aria-hidden="true" { rect .bar .s-failed width="100%" height="10" {} } " ended otherwise" } " "
            span .key { svg width="18" height="10" aria-hidden="true" { rect .bar .wait width="100%" height="10" {} } " created" }
        }
        svg .chart viewBox={ "0 0 " (width) " 100" } preserveAspectRatio="none" role="img"
            aria-label="Executions that were created and ended, by hour" {
            @for (at, bar) in bars.iter().enumerate() {
                g {
                    title {
                        (time(Some(after(first, each * i64::try_from(at).unwrap_or_default())))) ": "
                        (bar.created) " created, " (bar.done) " done, " (bar.failed) " ended otherwise"
                    }
                    rect .done x=(format!("{at}.1")) width="0.8"
                        y=(number(100.0 - height(bar.done))) height=(number(height(bar.done))) {}
                    rect .failed x=(format!("{at}.1")) width="0.8"
                        y=(number(100.0 - height(bar.done + bar.failed))) height=(number(height(bar.failed))) {}
                    rect .created vector-effect="non-scaling-stroke" x=(format!("{at}.1")) width="0.8"
                        y=(number(100.0 - height(bar.created))) height=(number(height(bar.created))) {}
                }
            }
        }
        p .marks { span { (time(Some(first))) } span { (time(Some(end))) } }
    }
}

/// The hours as bars, and how many hours each is.
fn bars(first: Timestamp, end: Timestamp, hours: &[HourStatistics]) -> (Vec<Bar>, i64) {
    let at = |hour: &HourStatistics| (hour.from.as_second() - first.as_second()) / 3600;
    let last = (end.as_second() - 1 - first.as_second()).max(0) / 3600;
    let count = hours.iter().map(at).max().unwrap_or_default().max(last) + 1;
    let each = (count + BARS - 1) / BARS;
    let mut bars = vec![Bar::default(); usize::try_from((count + each - 1) / each).unwrap_or(1)];
    for hour in hours {
        let at = usize::try_from(at(hour) / each).unwrap_or_default();
        if let Some(bar) = bars.get_mut(at) {
            bar.created += hour.created;
            bar.done += hour.done;
            bar.failed += hour.failed;
        }
    }
    (bars, each)
}

fn after(time: Timestamp, hours: i64) -> Timestamp {
    let seconds = time.as_second().saturating_add(hours.saturating_mul(3600));
    Timestamp::from_second(seconds).unwrap_or(time)
}

/// What each step did: a table, with how long it took as a bar.
pub(super) fn steps(period: &PeriodStatistics) -> Markup {
    let longest = period
        .steps
        .iter()
        .filter_map(|step| step.times)
        .map(|it| it.p99);
    let longest = longest.max().unwrap_or_default().as_secs_f64();
    html! {
        div .wide { table {
            thead { tr {
                th scope="col" { "Step" }
                th .right scope="col" { "Count" }
                th .right scope="col" { "Failed" }
                th .right scope="col" { "Retried" }
                th .right scope="col" { "Undone" }
                th scope="col" { "Half, 90 %, 99 % took at most" }
                th .right scope="col" { "At work" }
                th .right scope="col" { "Waiting" }
            } }
            tbody { @for step in &period.steps { (row(step, longest)) } }
        } }
    }
}

fn row(step: &StepStatistics, longest: f64) -> Markup {
    let shown = |value: f64| {
        if value > 0.0 {
            rate(Some(value))
        } else {
            "–".to_owned()
        }
    };
    html! {
        tr {
            th scope="row" { (step.path) }
            td .right { (step.count) }
            td .right { (shown(step.failure_rate())) }
            td .right { (shown(step.retry_rate())) }
            td .right { (shown(step.undo_rate())) }
            td {
                @if let Some(times) = step.times {
                    span .num { (took(times.p50)) ", " (took(times.p90)) ", " (took(times.p99)) }
                    svg .span width="100%" height="8" aria-hidden="true" {
                        @for (class, length) in [("p99", times.p99), ("p90", times.p90), ("p50", times.p50)] {
                            rect class=(class) height="8" rx="2" width=(percent(length.as_secs_f64(), longest)) {}
                        }
                    }
                }
            }
            td .right { (took(step.time.work)) }
            td .right { (took(step.time.waiting())) }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is drawn")]
fn part(of: u64, whole: u64) -> f64 {
    of as f64 / whole as f64
}

fn percent(of: f64, whole: f64) -> String {
    let part = if whole > 0.0 { of / whole } else { 0.0 };
    // However short, there is something to see.
    format!("{:.2}%", (part * 100.0).max(0.5))
}

fn number(value: f64) -> String {
    format!("{value:.2}")
}
