//! What an operator does with a flow in all processes: pausing it, resuming it, limiting it.

use std::time::Duration;

use serde::Deserialize;
use steps::{
    AsDuration as _,
    engine::{FlowInfo, FlowLimits},
};

use crate::{app::App, error::Refused, visit::Visit};

/// One of the acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    Pause,
    Resume,
    Limit,
    Unlimit,
}

impl Act {
    pub(crate) const ALL: [Self; 4] = [Self::Pause, Self::Resume, Self::Limit, Self::Unlimit];

    /// Its name in forms and in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Limit => "limit",
            Self::Unlimit => "unlimit",
        }
    }

    /// What stands on its button.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Limit => "Set limits",
            Self::Unlimit => "End the limits",
        }
    }

    /// What follows from it.
    pub(crate) fn consequence(self) -> &'static str {
        match self {
            Self::Pause => {
                "In all processes, none of its executions begins or goes on until it is resumed. What is at work \
                 goes on until it ends or waits. Executions may still be started, and begin then."
            }
            Self::Resume => "Its executions begin and go on again, within a poll of each process.",
            Self::Limit => {
                "They hold in all processes, in place of all limits that it had and whatever its service says, \
                 until they are set anew or ended. Of what has begun, all goes on. What is left empty is not limited."
            }
            Self::Unlimit => {
                "It has no limits, until a service that serves it with some is started."
            }
        }
    }

    /// What is told after it was done.
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Pause => "is paused.",
            Self::Resume => "goes on.",
            Self::Limit => "is limited.",
            Self::Unlimit => "has no limits.",
        }
    }

    /// Whether it is worth a button, as the flow is now.
    pub(crate) fn fits(self, info: &FlowInfo) -> bool {
        match self {
            Self::Pause => !info.is_paused,
            Self::Resume => info.is_paused,
            Self::Limit => true,
            Self::Unlimit => info.at_run_time || !info.limits.is_none(),
        }
    }
}

/// The limits that are asked for, as the API has them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) at_once: Option<u32>,
    pub(crate) per: Option<Per>,
    pub(crate) rate: Option<Rate>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Per {
    pub(crate) label: String,
    pub(crate) at_once: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) seconds: f64,
    #[serde(default = "one")]
    pub(crate) burst: u32,
}

fn one() -> u32 {
    1
}

impl Limits {
    fn checked(&self) -> Result<FlowLimits, Refused> {
        let least = |number: u32, what: &str| match number {
            0 => Err(Refused::wrong(format!(
                "{what} is a number from 1 on: to begin none, pause the flow"
            ))),
            number => Ok(number),
        };
        let mut limits = FlowLimits::new();
        if let Some(most) = self.at_once {
            limits = limits.at_once(least(most, "how many go on at once")?);
        }
        if let Some(per) = &self.per {
            if per.label.trim().is_empty() {
                return Err(Refused::wrong("a limit for each value of a label names it"));
            }
            let most = least(per.at_once, "how many of each value go on at once")?;
            limits = limits.per(per.label.trim(), most);
        }
        if let Some(rate) = &self.rate {
            let period = Duration::try_from_secs_f64(rate.seconds).ok();
            let period = period.filter(|period| !period.is_zero()).ok_or_else(|| {
                Refused::wrong("the time of a rate is a number of seconds above 0")
            })?;
            let starts = least(rate.starts, "how many begin in a time")?;
            limits = limits.rate_with_burst(starts, period, least(rate.burst, "a burst")?);
        }
        if limits.is_none() {
            return Err(Refused::wrong(
                "which limits? how many at once, of each value of a label, or in a time",
            ));
        }
        Ok(limits)
    }
}

/// The limits as a form has them, each field as text that may be empty.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    at_once: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    per: String,
    #[serde(default)]
    starts: String,
    #[serde(default)]
    period: String,
    #[serde(default)]
    burst: String,
}

impl Typed {
    /// Reads it. A pair of which one half is missing is a mistake.
    pub(crate) fn read(&self) -> Result<Limits, Refused> {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let number = |field: &str, what: &str| match text(field).map(|text| text.parse::<u32>()) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(Refused::wrong(format!("{what} is a number from 1 on"))),
        };
        let per = number(&self.per, "how many of each value go on at once")?;
        let per = match (text(&self.label), per) {
            (None, None) => None,
            (Some(label), Some(at_once)) => Some(Per { label, at_once }),
            _ => {
                return Err(Refused::wrong(
                    "a limit for each value of a label has a label and a number",
                ));
            }
        };
        let starts = number(&self.starts, "how many begin in a time")?;
        let burst = number(&self.burst, "a burst")?;
        let rate = match (starts, text(&self.period)) {
            (None, None) if burst.is_none() => None,
            (Some(starts), Some(period)) => Some(Rate {
                starts,
                seconds: period
                    .as_duration()
                    .map_err(|error| Refused::wrong(error.to_string()))?
                    .as_secs_f64(),
                burst: burst.unwrap_or(1),
            }),
            _ => {
                return Err(Refused::wrong(
                    "a rate has a number and a time, such as 100 in 60s",
                ));
            }
        };
        Ok(Limits {
            at_once: number(&self.at_once, "how many go on at once")?,
            per,
            rate,
        })
    }
}

/// Does it. Returns whether it was a change, and how the flow is then.
pub(crate) async fn make(
    app: &App,
    visit: &Visit,
    flow: &str,
    act: Act,
    limits: Option<&Limits>,
    reason: &str,
) -> Result<(bool, FlowInfo), Refused> {
    if flow.trim().is_empty() {
        return Err(Refused::wrong("which flow? say its name"));
    }
    let handle = app.engine.flow(flow);
    let handle = handle.acting_as(visit.operator(reason.trim()));
    let changed = match act {
        Act::Pause => handle.pause().await?,
        Act::Resume => handle.resume().await?,
        Act::Limit => {
            let limits = limits.cloned().unwrap_or_default().checked()?;
            handle.limit(limits).await?
        }
        Act::Unlimit => handle.unlimit().await?,
    };
    Ok((changed, handle.info().await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: [&str; 6]) -> Result<FlowLimits, Refused> {
        let [at_once, label, per, starts, period, burst] = fields.map(str::to_owned);
        let typed = Typed {
            at_once,
            label,
            per,
            starts,
            period,
            burst,
        };
        typed.read()?.checked()
    }

    #[test]
    fn limits_are_read_from_a_form() {
        for (fields, told) in [
            (["5", "", "", "", "", ""], "5 at once"),
            (
                [" 5 ", "tenant", "2", "", "", ""],
                "5 at once, 2 of a `tenant`",
            ),
            (["", "", "", "100", "60s", ""], "100 in 60s"),
            (["", "", "", "100", "1m", "9"], "100 in 60s and 9 together"),
        ] {
            assert_eq!(typed(fields).unwrap().to_string(), told);
        }
        for (fields, why) in [
            (["", "", "", "", "", ""], "which limits?"),
            (["0", "", "", "", "", ""], "pause the flow"),
            (["-1", "", "", "", "", ""], "a number from 1 on"),
            (["", "tenant", "", "", "", ""], "a label and a number"),
            (["", "", "2", "", "", ""], "a label and a number"),
            (["", "", "", "100", "", ""], "a number and a time"),
            (["", "", "", "", "", "3"], "a number and a time"),
            (["", "", "", "100", "soon", ""], "soon"),
            (["", "", "", "100", "0s", ""], "above 0"),
        ] {
            let refused = typed(fields).unwrap_err();
            assert!(refused.why.contains(why), "{fields:?}: {}", refused.why);
        }
    }
}
