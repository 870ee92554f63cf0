//! What this project aims at: one side measured against another, and how it comes out. It is reported, and decides
//! nothing.

use std::fmt::Write as _;

use peers_worker::{Report, STEPS};

use crate::{
    engines::{BARE, ON_POSTGRES, ON_SQLITE},
    measure::Measured,
    middle::{median, sorted},
};

/// What is compared of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    /// Steps in a second.
    Rate,
    /// The server's processor time for a step.
    ServerTime,
}

/// What the ratio of the figures is to be.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug, Clone, Copy)]
struct Aim {
    figure: Figure,
    ours: &'static str,
    theirs: &'static str,
    at_once: u64,
    bound: Bound,
}

/// That this project's is so many times as fast as another one.
const fn rate(ours: &'static str, theirs: &'static str, at_once: u64, least: f64) -> Aim {
    Aim {
        figure: Figure::Rate,
        ours,
        theirs,
        at_once,
        bound: Bound::AtLeast(least),
    }
}

const AIMS: [Aim; 17] = [
    rate(ON_SQLITE, "duroxide", 1, 20.0),
    rate(ON_SQLITE, "duroxide", 50, 20.0),
    rate(ON_SQLITE, "duroxide-tuned", 1, 20.0),
    rate(ON_SQLITE, "duroxide-tuned", 50, 20.0),
    rate(ON_SQLITE, "durare", 1, 10.0),
    rate(ON_SQLITE, "durare", 50, 10.0),
    rate(ON_SQLITE, "cano", 1, 10.0),
    rate(ON_SQLITE, "cano", 50, 10.0),
    rate(ON_SQLITE, "dbos", 1, 3.0),
    rate(ON_SQLITE, "dbos", 50, 10.0),
    rate(ON_POSTGRES, BARE, 1, 0.6),
    rate(ON_POSTGRES, BARE, 64, 0.35),
    rate(ON_POSTGRES, "dbos", 1, 2.0),
    rate(ON_POSTGRES, "dbos", 50, 5.0),
    rate(ON_POSTGRES, "underway", 1, 5.0),
    rate(ON_POSTGRES, "underway", 50, 20.0),
    Aim {
        figure: Figure::ServerTime,
        ours: ON_POSTGRES,
        theirs: BARE,
        at_once: 64,
        bound: Bound::AtMost(3.5),
    },
];

/// The aims whose two sides were measured, and what came out.
pub(crate) fn table(all: &[Measured]) -> String {
    let mut text = String::from(
        "\n| aim | at once | ratio | lowest–highest | aimed at | |\n|---|--:|--:|--:|--:|---|\n",
    );
    for aim in &AIMS {
        let of = |name: &str| {
            all.iter()
                .find(|one| one.entrant.name == name && one.concurrency == aim.at_once)
        };
        let Some((ours, theirs)) = of(aim.ours).zip(of(aim.theirs)) else {
            continue;
        };
        // Of each round by itself: the two were measured soon after one another.
        let rounds = ours.reports.iter().zip(&theirs.reports);
        let ratios = sorted(rounds.filter_map(|(ours, theirs)| {
            Some(value(aim.figure, ours)? / value(aim.figure, theirs)?)
        }));
        // Writing into a string can't fail.
        let _ = writeln!(text, "{}", aim.row(&ratios));
    }
    text
}

impl Aim {
    fn row(&self, ratios: &[f64]) -> String {
        let (what, ours, theirs) = (self.figure.text(), self.ours, self.theirs);
        let ratio = median(ratios);
        let (bound, is_met) = match self.bound {
            Bound::AtLeast(least) => (format!("≥ {least}"), ratio >= least),
            Bound::AtMost(most) => (format!("≤ {most}"), ratio <= most),
        };
        let verdict = match ratios {
            [] => "not measured",
            _ if is_met => "ok",
            _ => "MISSED",
        };
        format!(
            "| {what}: {ours} ÷ {theirs} | {} | {ratio:.2} | {:.2}–{:.2} | {bound} | {verdict} |",
            self.at_once,
            ratios.first().copied().unwrap_or_default(),
            ratios.last().copied().unwrap_or_default(),
        )
    }
}

impl Figure {
    fn text(self) -> &'static str {
        match self {
            Self::Rate => "steps/s",
            Self::ServerTime => "the server's processor time a step",
        }
    }
}

fn value(figure: Figure, report: &Report) -> Option<f64> {
    match figure {
        Figure::Rate => Some(steps_per_second(report)),
        // Shorter than a tick of the system's, it says nothing.
        Figure::ServerTime => server_microseconds(report).filter(|time| *time > 0.0),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than 2^52 steps are run"
)]
fn steps(report: &Report) -> f64 {
    (report.executions * STEPS) as f64
}

pub(crate) fn steps_per_second(report: &Report) -> f64 {
    steps(report) / report.time.as_secs_f64()
}

/// The server's processor time for a step, in microseconds.
pub(crate) fn server_microseconds(report: &Report) -> Option<f64> {
    let time = report.server_time?;
    Some(time.as_secs_f64() * 1e6 / steps(report))
}

#[cfg(test)]
mod tests {
    use super::{AIMS, BARE, ON_POSTGRES, rate};
    use crate::engines;

    #[test]
    fn both_sides_of_an_aim_are_measured_with_so_many_at_once() {
        let all = engines::chosen(&[]).unwrap();
        for aim in AIMS {
            for name in [aim.ours, aim.theirs] {
                let side = all.iter().find(|one| one.name == name);
                let at_once = side.unwrap_or_else(|| panic!("{name}")).at_once;
                assert!(at_once.contains(&aim.at_once), "{aim:?}");
            }
        }
    }

    #[test]
    fn a_row_says_whether_the_aim_is_met() {
        let aim = rate(ON_POSTGRES, BARE, 1, 0.6);
        assert!(aim.row(&[0.5, 0.7, 0.8]).ends_with("| ≥ 0.6 | ok |"));
        assert!(aim.row(&[0.5, 0.5, 0.8]).ends_with("| MISSED |"));
        assert!(aim.row(&[]).ends_with("| not measured |"));
    }
}
