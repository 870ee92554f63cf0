//! What is known of an execution beside its steps.

use maud::{Markup, html};
use steps::store::Act;

use super::parts::{execution, found, time, word};
use crate::{
    look::Look,
    payload::{self, Written},
    secrets::Secrets,
    text::{self, between, took},
    visit::Visit,
};

/// How much of a value stands on the page, in bytes.
const VALUE: usize = 64 * 1024;

/// A saved value, with line breaks.
pub(crate) fn value(json: &str) -> Markup {
    // What is to be hidden is not in it any more.
    let text = payload::write(json, Written::Long, &Secrets::nothing());
    let end = text.floor_char_boundary(VALUE);
    html! {
        pre .value tabindex="0" { (text[..end]) @if end < text.len() { "…" } }
        @if end < text.len() {
            p .help { (text.len()) " bytes; the API has all of it." }
        }
    }
}

pub(crate) fn show(visit: &Visit, look: &Look) -> Markup {
    let info = &look.info;
    let at = look.at;
    let queued = info
        .started_at
        .map(|began| took(between(info.created_at, began)));
    html! {
        dl .facts {
            dt { "Trigger" } dd { (info.trigger) }
            dt { "Created" } dd { (time(Some(info.created_at), at)) }
            @if info.started_at.is_some() {
                dt { "Started" }
                dd { (time(info.started_at, at)) @if let Some(queued) = queued { ", after " (queued) } }
            }
            @if let Some(ended) = info.done_at {
                dt { "Ended" }
                dd {
                    (time(Some(ended), at))
                    @if let Some(began) = info.started_at { ", after " (took(between(began, ended))) }
                }
            }
            @match (&info.worker, info.due) {
                (Some(worker), Some(_)) => {
                    dt { "Held" } dd { "by " code { (worker) } " until " (time(info.due, at)) }
                }
                (None, Some(_)) => { dt { "Due" } dd { (time(info.due, at)) } }
                _ => {}
            }
            @if info.priority != 0 { dt { "Priority" } dd { (info.priority) } }
            dt { "Steps" } dd { (info.steps) }
            @if let Some(parent) = &info.parent {
                dt { "Started by" } dd { a href=(execution(visit, parent)) { (parent) } }
            }
            @if !info.labels.is_empty() {
                dt { "Labels" }
                dd {
                    ul .labels {
                        @for (name, value) in &info.labels {
                            li {
                                a href=(found(visit, &format!("label.{}={}", word(name), word(value)))) {
                                    (name) "=" (value)
                                }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(input) = &look.tree.input { h3 { "Input" } (value(input.get())) }
        @if let Some(output) = &info.output { h3 { "Output" } (value(output.get())) }
        @if let Some(attrs) = info.attrs.to_json() { h3 { "Attributes" } (value(attrs.get())) }
        h3 { "What operators did" }
        @if info.acts.is_empty() { p { "Nothing yet." } } @else { (acts(&info.acts)) }
        p .downloads {
            "Report: "
            @for (format, name) in [("html", "HTML"), ("markdown", "Markdown"), ("text", "text"), ("json", "JSON")] {
                a href=(visit.to("/execution/report", &[("id", &info.id), ("format", format)])) { (name) } " "
            }
        }
    }
}

fn acts(acts: &[Act]) -> Markup {
    html! {
        ol .acts {
            @for act in acts {
                li {
                    time datetime=(act.at.to_string()) { (text::time(Some(act.at))) }
                    " " strong { (act.act.replace('_', "-")) }
                    @if let Some(step) = &act.step { " " code { (step) } }
                    " by " (act.by)
                    @if let Some(reason) = &act.reason { ": " (reason) }
                }
            }
        }
    }
}
