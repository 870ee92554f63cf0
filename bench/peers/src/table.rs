//! The results as text: a table of medians and ratios, then what each store said of its settings.

use std::fmt::Write as _;

use peers_worker::{Report, STEPS};

use crate::{engines::OURS, measure::Measured};

pub(crate) fn of(all: &[Measured]) -> String {
    let mut text = String::from(
        "\n| engine | at once | steps/s | lowest–highest | executions | given up | steps ÷ it | aim | |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for measured in all {
        let ours = all
            .iter()
            .find(|one| one.entrant.name == OURS && one.concurrency == measured.concurrency)
            .filter(|_| measured.entrant.name != OURS);
        // Writing into a string can't fail.
        let _ = writeln!(text, "{}", row(measured, ours));
    }
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

fn row(measured: &Measured, ours: Option<&Measured>) -> String {
    let rates = sorted(measured.reports.iter().map(rate));
    let executions: u64 = measured
        .reports
        .iter()
        .map(|report| report.executions)
        .sum();
    let given_up: u64 = measured.reports.iter().map(|report| report.given_up).sum();
    // Of each round by itself: the two were measured soon after one another.
    let ratio = ours.map(|ours| {
        let rounds = ours.reports.iter().zip(&measured.reports);
        median(&sorted(rounds.map(|(ours, its)| rate(ours) / rate(its))))
    });
    let aim = measured
        .entrant
        .aims
        .iter()
        .find(|(concurrency, _)| *concurrency == measured.concurrency)
        .map(|(_, aim)| *aim);
    let verdict = match (ratio, aim) {
        (Some(ratio), Some(aim)) if ratio >= aim => "ok",
        (Some(_), Some(_)) => "MISSED",
        _ => "",
    };
    format!(
        "| {} | {} | {:.0} | {:.0}–{:.0} | {executions} | {given_up} | {} | {} | {verdict} |",
        measured.entrant.name,
        measured.concurrency,
        median(&rates),
        rates.first().copied().unwrap_or_default(),
        rates.last().copied().unwrap_or_default(),
        ratio.map_or(String::new(), |ratio| format!("{ratio:.1}")),
        aim.map_or(String::new(), |aim| format!("≥ {aim}")),
    )
}

fn first_of_each(all: &[Measured]) -> impl Iterator<Item = &Measured> {
    all.iter().enumerate().filter_map(|(at, measured)| {
        let name = measured.entrant.name;
        let seen = all[..at].iter().any(|earlier| earlier.entrant.name == name);
        (!seen).then_some(measured)
    })
}

/// Steps in a second.
#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than 2^52 steps are run"
)]
fn rate(report: &Report) -> f64 {
    (report.executions * STEPS) as f64 / report.time.as_secs_f64()
}

/// Lowest first.
fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Of sorted values; of an even number of them, the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted {
        [] => 0.0,
        _ if sorted.len() % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
    }
}
