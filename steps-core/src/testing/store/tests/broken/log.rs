//! Stores that keep other lines of a log than they should, or find others.

use super::{SOUND, Twist};
use crate::store::{LogLevel, LogQuery, Store};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "forgets how much a line matters",
        breaks: &["a_log_comes_back"],
        log: |sound, mut new| {
            for line in &mut new.lines {
                line.level = LogLevel::Info;
            }
            sound.log(new)
        },
        ..SOUND
    },
    Twist {
        what: "has a log of what is not there",
        breaks: &["a_log_comes_back", "a_log_goes_with_its_execution"],
        logged: |sound, query| {
            Box::pin(async move {
                let log = sound.logged(query).await?;
                let lines = Vec::new();
                Ok(log.or(Some(crate::store::StoredLog { key: 0, lines })))
            })
        },
        ..SOUND
    },
    Twist {
        what: "finds lines of the step alone, and not of what is below",
        breaks: &["a_log_is_found_by_step"],
        logged: |sound, query| {
            Box::pin(async move {
                let step = query.step.clone().filter(|step| !step.is_empty());
                let mut log = sound.logged(query).await?;
                if let (Some(log), Some(step)) = (&mut log, step) {
                    log.lines.retain(|line| line.path == step);
                }
                Ok(log)
            })
        },
        ..SOUND
    },
    Twist {
        what: "takes each path that begins alike for one below",
        breaks: &["a_log_is_found_by_step"],
        logged: |sound, query| {
            Box::pin(async move {
                let step = query.step.clone().unwrap_or_default();
                let all = LogQuery {
                    step: None,
                    ..query
                };
                let mut log = sound.logged(all).await?;
                if let Some(log) = &mut log {
                    log.lines.retain(|line| line.path.starts_with(&step));
                }
                Ok(log)
            })
        },
        ..SOUND
    },
    Twist {
        what: "gives the oldest lines in the place of the newest",
        breaks: &["a_log_is_found_by_step"],
        logged: |sound, mut query| {
            query.newest = false;
            sound.logged(query)
        },
        ..SOUND
    },
    Twist {
        what: "gives the last line again",
        breaks: &["a_log_is_found_by_step"],
        logged: |sound, mut query| {
            query.after = query.after.map(|after| after - 1);
            sound.logged(query)
        },
        ..SOUND
    },
    Twist {
        what: "keeps all lines of a step",
        breaks: &["a_log_is_bounded"],
        log: |sound, mut new| {
            new.per_step = usize::MAX;
            sound.log(new)
        },
        ..SOUND
    },
    Twist {
        what: "keeps all lines of an execution",
        breaks: &["a_log_is_bounded"],
        log: |sound, mut new| {
            new.per_execution = usize::MAX;
            sound.log(new)
        },
        ..SOUND
    },
    Twist {
        what: "does not count what was left out",
        breaks: &["a_log_is_bounded"],
        log: |sound, mut new| {
            for line in &mut new.lines {
                line.left_out = 0;
            }
            sound.log(new)
        },
        ..SOUND
    },
    Twist {
        what: "keeps nothing of an execution that was taken over",
        breaks: &["a_log_goes_with_its_execution"],
        log: |sound, mut new| {
            new.lines.retain(|line| {
                let id = sound.id(line.key);
                let newest = id.and_then(|id| sound.newest(&id));
                newest.is_none_or(|lease| lease.fence <= 1)
            });
            sound.log(new)
        },
        ..SOUND
    },
    Twist {
        what: "takes what was logged by one that is gone for a line of the one that has its id now",
        breaks: &["a_log_goes_with_its_execution"],
        log: |sound, mut new| {
            for line in &mut new.lines {
                let id = sound.id(line.key);
                let newest = id.and_then(|id| sound.newest(&id));
                line.key = newest.map_or(line.key, |lease| lease.key);
            }
            sound.log(new)
        },
        ..SOUND
    },
];
