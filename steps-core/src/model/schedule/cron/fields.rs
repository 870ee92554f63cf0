//! The fields of a cron expression. They are read here, so that what a crate would take for something
//! else is refused with the field and the reason, and are handed on as plain numbers.

use std::{collections::BTreeSet, ops::RangeInclusive};

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

use super::{Dialect, ScheduleError};

/// The fields, as something that finds local times.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    times: croner::Cron,
    is_every_hour: bool,
}

impl Fields {
    /// Returns the first local time after this one that they match; `None` if there is none.
    pub(super) fn after(&self, local: DateTime) -> Option<DateTime> {
        let local = local.with().subsec_nanosecond(0).build().ok()?;
        let next = self.times.find_next_occurrence(&local, false).ok()?;
        (next > local).then_some(next)
    }

    /// Returns whether they match a local time.
    pub(super) fn has(&self, local: DateTime) -> bool {
        self.times.is_time_matching(&local).unwrap_or(false)
    }

    /// Returns whether they match in every hour of the days that they match.
    pub(super) fn is_every_hour(&self) -> bool {
        self.is_every_hour
    }
}

/// One of the six fields.
struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const HOURS: usize = 2;
const DAY: usize = 3;
const WEEKDAY: usize = 5;

const FIELDS: [Field; 6] = [
    Field::new("seconds", 0..=59, &[]),
    Field::new("minutes", 0..=59, &[]),
    Field::new("hours", 0..=23, &[]),
    Field::new("day of the month", 1..=31, &[]),
    Field::new("month", 1..=12, MONTHS),
    Field::new("weekday", 0..=7, DAYS),
];

/// Texts that stand for a whole expression.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 0 1 1 *"),
    ("@annually", "0 0 0 1 1 *"),
    ("@monthly", "0 0 0 1 * *"),
    ("@weekly", "0 0 0 * * 0"),
    ("@daily", "0 0 0 * * *"),
    ("@midnight", "0 0 0 * * *"),
    ("@hourly", "0 0 * * * *"),
];

impl Field {
    const fn new(
        name: &'static str,
        range: RangeInclusive<u32>,
        names: &'static [&'static str],
    ) -> Self {
        Self { name, range, names }
    }

    /// Returns the number that a text stands for.
    fn number(&self, text: &str) -> Result<u32, String> {
        let first = *self.range.start();
        let mut numbered = self.names.iter().zip(first..);
        if let Some((_, number)) = numbered.find(|(name, _)| **name == text) {
            return Ok(number);
        }
        let (low, high) = (self.range.start(), self.range.end());
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        let names = match self.names {
            [first, .., last] => format!(", or a name from {first} to {last}"),
            _ => String::new(),
        };
        number
            .filter(|number| self.range.contains(number))
            .ok_or_else(|| format!("`{text}` is no number from {low} to {high}{names}"))
    }

    /// Returns the last number, with one number for each value: 7 is Sunday once more.
    fn last(&self) -> u32 {
        (*self.range.end()).min(*self.range.start() + self.values() - 1)
    }

    fn values(&self) -> u32 {
        match self.names {
            [] => *self.range.end() - *self.range.start() + 1,
            names => u32::try_from(names.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What an entry of a list means: as a text for the crate, and as numbers.
struct Entry {
    text: String,
    numbers: BTreeSet<u32>,
}

impl Entry {
    fn range(low: u32, high: u32, step: u32) -> Self {
        let text = match step {
            1 if low == high => low.to_string(),
            1 => format!("{low}-{high}"),
            step => format!("{low}-{high}/{step}"),
        };
        let numbers = (low..=high).step_by(step.max(1) as usize).collect();
        Self { text, numbers }
    }
}

/// Reads an expression.
pub(super) fn read(expression: &str, dialect: Dialect) -> Result<Fields, ScheduleError> {
    let refuse = |field, why: String| ScheduleError::Cron {
        expression: expression.to_owned(),
        field,
        why,
    };
    let text = expression.trim();
    let nickname = NICKNAMES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    if text.starts_with('@') && nickname.is_none() {
        let why = match text.split_whitespace().next() {
            Some("@every") => "write `.every(\"5m\")` in place of it".to_owned(),
            Some("@reboot") => {
                "a schedule outlasts its processes, so there is no such time".to_owned()
            }
            _ => format!(
                "it is none of {}",
                NICKNAMES.map(|(name, _)| name).join(", ")
            ),
        };
        return Err(refuse("nickname", why));
    }
    let text = nickname
        .map_or(text, |(_, meaning)| *meaning)
        .to_ascii_uppercase();
    let mut parts: Vec<&str> = text.split_whitespace().collect();
    match (parts.len(), dialect) {
        (6, _) => {}
        (5, Dialect::Crontab) => parts.insert(0, "0"),
        (count, Dialect::Crontab) => {
            let why = format!("there are {count}: write five, or six with the seconds first");
            return Err(refuse("number of fields", why));
        }
        (count, Dialect::Go) => {
            let why = format!("there are {count}: write six, with the seconds first");
            return Err(refuse("number of fields", why));
        }
    }
    let mut plain = Vec::new();
    let mut is_every_hour = false;
    for (index, (part, field)) in parts.iter().zip(&FIELDS).enumerate() {
        let (text, numbers) = read_field(index, part, field, dialect)
            .map_err(|why| refuse(field.name, format!("`{part}`: {why}")))?;
        if index == HOURS {
            is_every_hour = numbers.len() == 24;
        }
        plain.push(text);
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Disallowed)
        .build();
    let times = parser
        .parse(&plain.join(" "))
        .map_err(|error| refuse("text", error.to_string()))?;
    Ok(Fields {
        times,
        is_every_hour,
    })
}

/// Reads one field: as a text for the crate, and as numbers.
fn read_field(
    index: usize,
    part: &str,
    field: &Field,
    dialect: Dialect,
) -> Result<(String, BTreeSet<u32>), String> {
    let is_any = part == "*" || part == "?" && (index == DAY || index == WEEKDAY);
    if is_any {
        return Ok((
            "*".to_owned(),
            (*field.range.start()..=field.last()).collect(),
        ));
    }
    let mut texts = Vec::new();
    let mut all = BTreeSet::new();
    for entry in part.split(',') {
        let entry = match (dialect, special(index, entry, field)?) {
            (Dialect::Crontab, Some(special)) => special,
            (Dialect::Go, Some(_)) => return Err(format!("Go's libraries know no `{entry}`")),
            (_, None) => read_entry(index, entry, field, dialect)?,
        };
        texts.push(entry.text);
        all.extend(entry.numbers);
    }
    Ok((texts.join(","), all))
}

/// Reads what only days have: `L`, `15W`, `5L`, `5#2`.
fn special(index: usize, entry: &str, field: &Field) -> Result<Option<Entry>, String> {
    let of = |text: String| {
        Ok(Some(Entry {
            text,
            numbers: BTreeSet::new(),
        }))
    };
    match index {
        DAY if entry == "L" => of(entry.to_owned()),
        DAY if entry.ends_with('W') => {
            let day = field.number(entry.trim_end_matches('W'))?;
            of(format!("{day}W"))
        }
        WEEKDAY if entry == "L" => {
            Err("say the last of which weekday in the month: `5L` is the last Friday".to_owned())
        }
        WEEKDAY if entry.ends_with('L') => {
            let day = field.number(entry.trim_end_matches('L'))?;
            of(format!("{}L", day % 7))
        }
        WEEKDAY if entry.contains('#') => {
            let (day, nth) = entry.split_once('#').unwrap_or_default();
            let day = field.number(day)?;
            match nth.parse::<u32>() {
                Ok(nth @ 1..=5) => of(format!("{}#{nth}", day % 7)),
                _ => Err(format!(
                    "`{nth}` is no number from 1 to 5: `5#2` is the second Friday"
                )),
            }
        }
        _ => Ok(None),
    }
}

/// Reads a number, a range or `*`, with a step or without.
fn read_entry(index: usize, entry: &str, field: &Field, dialect: Dialect) -> Result<Entry, String> {
    let (range, step) = match entry.split_once('/') {
        None => (entry, None),
        Some((range, step)) => (range, Some(step)),
    };
    let last = field.last();
    let (low, high) = match range.split_once('-') {
        _ if range == "*" || range == "?" && dialect == Dialect::Go => (*field.range.start(), last),
        Some((low, high)) => (field.number(low)?, field.number(high)?),
        None => {
            let number = field.number(range)?;
            match (step, dialect) {
                (None, _) => (number, number),
                (Some(_), Dialect::Go) => (number, last),
                (Some(step), Dialect::Crontab) => {
                    return Err(format!("write `{number}-{last}/{step}`"));
                }
            }
        }
    };
    let is_sunday_again = index == WEEKDAY && dialect == Dialect::Go && low.max(high) > last;
    if is_sunday_again {
        return Err("Go's libraries know no weekday 7: Sunday is 0".to_owned());
    }
    // From a weekday to Sunday, by its name.
    let high = match high {
        0 if index == WEEKDAY && low > 0 && dialect == Dialect::Crontab => 7,
        high => high,
    };
    if low > high {
        let first = field.range.start();
        return Err(format!(
            "{low} comes after {high}: write `{low}-{last},{first}-{high}`"
        ));
    }
    let step = match step {
        None => 1,
        Some(step) => {
            let step = step.parse().ok().filter(|step| *step > 0);
            step.ok_or_else(|| format!("`{entry}` has a step that is no number from 1 on"))?
        }
    };
    if step > 1 && step > high - low {
        return Err(format!(
            "a step of {step} is longer than the way from {low} to {high}, so it would only match {low}"
        ));
    }
    Ok(Entry::range(low, high, step))
}
