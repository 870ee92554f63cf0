//! Stores that make statistics of something else than of all that is there.

use super::{SOUND, Twist};
use crate::store::{PeriodStatistics, Store};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "makes statistics of one name of a flow",
        breaks: &["statistics_count_all"],
        statistics: |sound, mut query| {
            query.flows.truncate(1);
            sound.statistics(query)
        },
        ..SOUND
    },
    Twist {
        what: "makes statistics without the period before",
        breaks: &["statistics_count_all", "statistics_of_steps"],
        statistics: |sound, query| {
            Box::pin(async move {
                let mut all = sound.statistics(query).await?;
                all.before = PeriodStatistics::default();
                Ok(all)
            })
        },
        ..SOUND
    },
    Twist {
        what: "reads the steps of all executions for statistics",
        breaks: &["statistics_of_a_sample"],
        statistics: |sound, mut query| {
            query.sample = usize::MAX;
            sound.statistics(query)
        },
        ..SOUND
    },
    Twist {
        what: "does not look at how steps were undone for statistics",
        breaks: &["statistics_of_steps"],
        statistics: |sound, query| {
            Box::pin(async move {
                let mut all = sound.statistics(query).await?;
                for step in &mut all.current.steps {
                    step.undone = 0;
                }
                Ok(all)
            })
        },
        ..SOUND
    },
];
