//! The results as text: a table of medians, the aims, then what each store said of its settings.

use std::fmt::Write as _;

use crate::{
    aims::{self, server_microseconds, steps_per_second},
    measure::Measured,
    middle::{median, sorted},
};

pub(crate) fn of(all: &[Measured]) -> String {
    let mut text = String::from(
        "\n| engine | at once | steps/s | lowest–highest | executions | given up | server µs a step |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for measured in all {
        // Writing into a string can't fail.
        let _ = writeln!(text, "{}", row(measured));
    }
    text.push_str(&aims::table(all));
    text.push_str("\nAs the stores say themselves:\n\n");
    for measured in first_of_each(all) {
        let settings = measured
            .reports
            .first()
            .map_or(&[][..], |report| &report.settings);
        let listed: Vec<String> = settings
            .iter()
            .map(|setting| format!("{} = {}", setting.name, setting.value))
            .collect();
        let name = measured.entrant.name;
        let _ = writeln!(text, "* {name} {}: {}", measured.version, listed.join(", "));
    }
    text
}

fn row(measured: &Measured) -> String {
    let reports = &measured.reports;
    let rates = sorted(reports.iter().map(steps_per_second));
    let executions: u64 = reports.iter().map(|report| report.executions).sum();
    let given_up: u64 = reports.iter().map(|report| report.given_up).sum();
    let server = sorted(reports.iter().filter_map(server_microseconds));
    let server = match &server[..] {
        [] => String::new(),
        times => format!("{:.1}", median(times)),
    };
    format!(
        "| {} | {} | {:.0} | {:.0}–{:.0} | {executions} | {given_up} | {server} |",
        measured.entrant.name,
        measured.concurrency,
        median(&rates),
        rates.first().copied().unwrap_or_default(),
        rates.last().copied().unwrap_or_default(),
    )
}

fn first_of_each(all: &[Measured]) -> impl Iterator<Item = &Measured> {
    all.iter().enumerate().filter_map(|(at, measured)| {
        let name = measured.entrant.name;
        let seen = all[..at].iter().any(|earlier| earlier.entrant.name == name);
        (!seen).then_some(measured)
    })
}
