//! Statistics as a document.

use std::time::Duration;

use super::{PeriodStatistics, Quantiles, Statistics, StepStatistics, rate};
use crate::{
    base::took::Took,
    model::report::document::{Column, Document},
};

fn span(span: Duration) -> String {
    Took(span).to_string()
}

fn per_cent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

fn quantiles(times: Option<Quantiles>) -> [String; 4] {
    match times {
        Some(all) => [all.p50, all.p90, all.p99, all.longest].map(span),
        None => Default::default(),
    }
}

/// How much more or less than before, in per cent; nothing where there was none.
#[expect(clippy::cast_precision_loss, reason = "per cent need no more digits")]
fn trend(now: Duration, before: Duration) -> String {
    let [now, before] = [now, before].map(|span| span.as_nanos() as f64);
    if before > 0.0 {
        format!("{:+.0} %", (now / before - 1.0) * 100.0)
    } else {
        String::new()
    }
}

impl Statistics {
    pub(super) fn document(&self) -> Document {
        let mut document = Document::new(format!("Statistics of {}", self.flow));
        document.paragraph(format!(
            "Executions created from {} until before {}.",
            self.period.start, self.period.end
        ));
        self.executions(&mut document);
        self.steps(&mut document);
        self.slow(&mut document);
        self.by_hour(&mut document);
        document
    }

    fn executions(&self, document: &mut Document) {
        let row = |name: &str, period: &PeriodStatistics| {
            let mut row = vec![name.to_owned(), period.executions.to_string()];
            row.push(period.failure_rate().map(per_cent).unwrap_or_default());
            row.extend(quantiles(period.times));
            row.push(
                period
                    .queue
                    .map(|queue| span(queue.p50))
                    .unwrap_or_default(),
            );
            row
        };
        let columns = [
            Column::Text("period"),
            Column::Number("executions"),
            Column::Number("not done"),
            Column::Number("p50"),
            Column::Number("p90"),
            Column::Number("p99"),
            Column::Number("longest"),
            Column::Number("queue p50"),
        ];
        let rows = vec![row("this", &self.current), row("before", &self.before)];
        document.table("Executions", &columns, rows);
        let rows = self.current.by_status.iter().map(|(status, count)| {
            let share = rate(*count, self.current.executions).unwrap_or_default();
            vec![status.to_string(), count.to_string(), per_cent(share)]
        });
        let columns = [
            Column::Text("status"),
            Column::Number("executions"),
            Column::Number("share"),
        ];
        document.table("Statuses", &columns, rows.collect());
    }

    fn steps(&self, document: &mut Document) {
        let row = |step: &StepStatistics| {
            let mut row = vec![step.path.clone(), step.count.to_string()];
            row.extend(quantiles(step.times).into_iter().take(3));
            let before = self
                .before
                .steps
                .iter()
                .find(|before| before.path == step.path);
            let times = step.times.zip(before.and_then(|before| before.times));
            row.push(
                times
                    .map(|(now, before)| trend(now.p50, before.p50))
                    .unwrap_or_default(),
            );
            row.extend([step.failure_rate(), step.retry_rate(), step.undo_rate()].map(per_cent));
            row.extend([step.time.work, step.time.waiting(), step.time.unknown].map(span));
            row
        };
        let columns = [
            Column::Text("step"),
            Column::Number("count"),
            Column::Number("p50"),
            Column::Number("p90"),
            Column::Number("p99"),
            Column::Number("p50, trend"),
            Column::Number("failed"),
            Column::Number("retried"),
            Column::Number("undone"),
            Column::Number("at work"),
            Column::Number("waiting"),
            Column::Number("not known"),
        ];
        document.table(
            "Steps",
            &columns,
            self.current.steps.iter().map(row).collect(),
        );
        let sampled = |period: &PeriodStatistics| {
            format!("{} of {} executions", period.sampled, period.executions)
        };
        if !self.current.steps.is_empty() {
            document.paragraph(format!(
                "The steps are those of {}, and before of {}.",
                sampled(&self.current),
                sampled(&self.before)
            ));
        }
    }

    fn slow(&self, document: &mut Document) {
        let rows = self.slowest.iter().map(|slow| {
            vec![
                slow.id.clone(),
                slow.status.to_string(),
                slow.created_at.to_string(),
                span(slow.took),
            ]
        });
        let columns = [
            Column::Text("execution"),
            Column::Text("status"),
            Column::Text("created"),
            Column::Number("took"),
        ];
        document.table("Slowest executions", &columns, rows.collect());
    }

    fn by_hour(&self, document: &mut Document) {
        let rows = self.hours.iter().map(|hour| {
            let counts = [hour.created, hour.done, hour.failed].map(|count| count.to_string());
            let mut row = vec![hour.from.to_string()];
            row.extend(counts);
            row.extend(quantiles(hour.times));
            row
        });
        let columns = [
            Column::Text("hour"),
            Column::Number("created"),
            Column::Number("done"),
            Column::Number("not done"),
            Column::Number("p50"),
            Column::Number("p90"),
            Column::Number("p99"),
            Column::Number("longest"),
        ];
        document.table("By hour", &columns, rows.collect());
    }
}
