//! Cron expressions against a plain reading of them, minute by minute; clock changes; what is refused.

use std::collections::BTreeSet;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The zones whose next changes are tried: by an hour, at midnight, by half an hour, south of the equator,
/// by two hours.
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Antarctica/Troll",
];

/// Expressions of five fields, without names.
const EXPRESSIONS: [&str; 16] = [
    "30 2 * * *",
    "0,30 2 * * *",
    "*/15 2 * * *",
    "0 2,14 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "30 1 * * *",
    "45 1,23 * * *",
    "0 3 * * *",
    "0 1-3 * * *",
    "5 */2 * * *",
    "* 2 * * 0",
    "10-50/20 0-4 * * *",
    "15 * * * *",
    "*/10 * * * *",
    "* * * * *",
];

/// The numbers that a field stands for.
fn numbers(field: &str, low: u32, high: u32) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for entry in field.split(',') {
        let (range, step) = entry.split_once('/').unwrap_or((entry, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if range == "*" => (low, high),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        all.extend((from..=to).step_by(step.parse().unwrap()));
    }
    all
}

/// A plain reading of an expression.
struct Plain([BTreeSet<u32>; 5], [bool; 2]);

impl Plain {
    fn read(expression: &str) -> Self {
        let fields: Vec<&str> = expression.split(' ').collect();
        let of = |n: usize, low, high| numbers(fields[n], low, high);
        Self(
            [
                of(0, 0, 59),
                of(1, 0, 23),
                of(2, 1, 31),
                of(3, 1, 12),
                of(4, 0, 6),
            ],
            [fields[2] == "*", fields[4] == "*"],
        )
    }

    fn has(&self, local: DateTime) -> bool {
        let [minutes, hours, days, months, weekdays] = &self.0;
        let is = |set: &BTreeSet<u32>, value: i8| set.contains(&u32::try_from(value).unwrap());
        let day = is(days, local.day());
        let weekday = is(weekdays, local.date().weekday().to_sunday_zero_offset());
        let of_day = match self.1 {
            [false, false] => day || weekday,
            _ => day && weekday,
        };
        is(minutes, local.minute())
            && is(hours, local.hour())
            && is(months, local.month())
            && of_day
    }

    /// The ticks in a span, found by looking at each minute of it.
    fn ticks(&self, minutes: &[(Timestamp, DateTime)]) -> Vec<Timestamp> {
        let certain_hours = self.0[1].len() < 24;
        let (mut ticks, mut seen) = (Vec::new(), BTreeSet::new());
        let mut last = minutes[0].1;
        for (at, local) in minutes[1..].iter().copied() {
            let mut left_out = last + MINUTE;
            let mut has = false;
            while left_out < local {
                has |= certain_hours && self.has(left_out);
                left_out += MINUTE;
            }
            let is_first = seen.insert(local);
            has |= self.has(local) && (is_first || !certain_hours);
            if has {
                ticks.push(at);
            }
            last = local;
        }
        ticks
    }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Each minute of a span, with what the clock shows then.
fn minutes(zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, DateTime)> {
    let next = |at: &Timestamp| Some(*at + MINUTE).filter(|at| *at <= to);
    std::iter::successors(Some(from), next)
        .map(|at| (at, zone.to_datetime(at)))
        .collect()
}

fn chain(cron: &Cron, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut ticks = Vec::new();
    let mut at = from;
    while let Some(next) = cron.after(at).filter(|next| *next <= to) {
        assert!(next > at, "{cron}: {next} after {at}");
        ticks.push(next);
        at = next;
    }
    ticks
}

/// A day before and after each of the next twelve changes of the clock, in six zones: what the table in
/// the guide says, nothing lost, nothing doubled, each later than the one before.
#[test]
fn clock_changes_have_the_ticks_that_the_table_says() {
    let now = time("2026-11-28T00:00:00Z");
    for name in ZONES {
        let zone = TimeZone::get(name).unwrap();
        let changes: Vec<_> = zone.following(now).take(12).collect();
        assert_eq!(changes.len(), 12, "{name}");
        for change in changes {
            let (from, to) = (change.timestamp() - DAY, change.timestamp() + DAY);
            let minutes = minutes(&zone, from, to);
            for expression in EXPRESSIONS {
                let cron = Cron::new(expression, name).unwrap();
                let plain = Plain::read(expression).ticks(&minutes);
                let what = format!("{cron} around {}", change.timestamp());
                assert_eq!(chain(&cron, from, to), plain, "{what}");
                // Asked from any moment, the answer is the same.
                for offset in (0..2880).step_by(97) {
                    let at = from + SignedDuration::from_mins(offset);
                    let next = plain.iter().find(|tick| **tick > at);
                    if let Some(next) = next {
                        assert_eq!(cron.after(at), Some(*next), "{what}, after {at}");
                    }
                }
            }
        }
    }
}

/// The table of the guide, by its own examples.
#[test]
fn clock_changes_by_example() {
    for (expression, zone, after, expected) in [
        // Forward.
        (
            "30 2 * * *",
            "America/New_York",
            "2026-03-08T05:00:00Z",
            vec!["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        ),
        (
            "0,30 2 * * *",
            "America/New_York",
            "2026-03-08T05:00:00Z",
            vec!["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"],
        ),
        (
            "*/15 2,3 * * *",
            "America/New_York",
            "2026-03-08T05:00:00Z",
            vec!["2026-03-08T07:00:00Z", "2026-03-08T07:15:00Z"],
        ),
        (
            "15 * * * *",
            "America/New_York",
            "2026-03-08T05:30:00Z",
            vec!["2026-03-08T06:15:00Z", "2026-03-08T07:15:00Z"],
        ),
        (
            "@daily",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            vec!["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
        ),
        // Back.
        (
            "30 1 * * *",
            "America/New_York",
            "2026-11-01T04:00:00Z",
            vec!["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "30 * * * *",
            "America/New_York",
            "2026-11-01T05:00:00Z",
            vec![
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-01T07:30:00Z",
            ],
        ),
        (
            "*/30 1 * * *",
            "America/New_York",
            "2026-11-01T05:10:00Z",
            vec!["2026-11-01T05:30:00Z", "2026-11-02T06:00:00Z"],
        ),
        (
            "0 2 * * *",
            "America/New_York",
            "2026-11-01T06:10:00Z",
            vec!["2026-11-01T07:00:00Z"],
        ),
        // A whole day was left out.
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29T12:00:00Z",
            vec![
                "2011-12-29T22:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-30T22:00:00Z",
            ],
        ),
        // Half an hour.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00:00Z",
            vec!["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
    ] {
        let cron = Cron::new(expression, zone).unwrap();
        let ticks: Vec<_> =
            std::iter::successors(cron.after(time(after)), |tick| cron.after(*tick))
                .take(expected.len())
                .map(|tick| tick.to_string())
                .collect();
        assert_eq!(ticks, expected, "{cron}");
    }
}

/// By a plain reading, minute by minute, in a zone without changes.
#[test]
fn fields_mean_what_they_say() {
    let (from, to) = (time("2026-01-15T00:00:00Z"), time("2026-04-15T00:00:00Z"));
    let minutes = minutes(&TimeZone::UTC, from, to);
    for expression in [
        "0 12 1,15 * *",
        "0 12 * * 1-5",
        "0 12 13 * 5",
        "0 12 1-31 * 1",
        "0 12 */2 * 1",
        "0 12 31 * *",
        "59 23 * 2 *",
        "7-59/13 6 * * 6,0",
        "0 0 29-31 1-3/2 *",
        "0 12 * * */2",
    ] {
        let cron = Cron::new(expression, "UTC").unwrap();
        let plain = Plain::read(expression).ticks(&minutes);
        assert_eq!(chain(&cron, from, to), plain, "{expression}");
    }
}

fn firsts(cron: &Cron, most: usize) -> Vec<String> {
    let from = time("2026-11-28T00:00:00Z");
    let ticks = std::iter::successors(cron.after(from), |tick| cron.after(*tick));
    ticks.take(most).map(|tick| tick.to_string()).collect()
}

/// Two expressions that mean the same.
#[test]
fn names_nicknames_and_special_days() {
    for (one, other) in [
        ("0 0 * * sun", "0 0 0 * * 0"),
        ("0 0 * * 7", "0 0 0 * * 0"),
        ("0 9 * * MON-FRI", "0 9 * * 1-5"),
        ("0 9 * * fri-sun", "0 9 * * 5-7"),
        ("0 9 1 jan,JUL ?", "0 9 1 1,7 *"),
        ("@daily", "@midnight"),
        ("@Weekly", "0 0 * * 0"),
        ("@hourly", "0 * * * *"),
        (" 0  9 * * *", "0 9 * * *"),
    ] {
        let [one, other] = [one, other].map(|text| Cron::new(text, "UTC").unwrap());
        assert_eq!(firsts(&one, 40), firsts(&other, 40), "{one}, {other}");
    }
    for (expression, first) in [
        ("0 0 L * *", "2026-11-30T00:00:00Z"),
        ("0 0 13W * *", "2026-12-14T00:00:00Z"),
        ("0 0 * * 5L", "2026-12-25T00:00:00Z"),
        ("0 0 * * FRI#2", "2026-12-11T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("5 0 0 * * *", "2026-11-28T00:00:05Z"),
    ] {
        let cron = Cron::new(expression, "UTC").unwrap();
        assert_eq!(firsts(&cron, 1), [first], "{expression}");
    }
}

#[test]
fn six_fields_of_go_mean_what_they_mean_there() {
    for (expression, same) in [
        ("0 30 2 * * 0", "30 2 * * SUN"),
        ("30 * * * * *", "30 * * * * *"),
        ("0 5/15 * * * ?", "5-59/15 * * * *"),
        ("0 0 12 13 * 5", "0 12 13 * 5"),
        ("@midnight", "0 0 * * *"),
    ] {
        let go = Cron::go(expression).unwrap();
        let same = Cron::new(same, "UTC").unwrap();
        assert_eq!(firsts(&go, 50), firsts(&same, 50), "{expression}");
    }
    for (expression, field, word) in [
        ("30 2 * * *", "number of fields", "six"),
        ("0 0 0 * * 7", "weekday", "Sunday is 0"),
        ("0 0 0 L * *", "day of the month", "know no"),
        ("@every 5m", "nickname", ".every("),
    ] {
        refused(Cron::go(expression), field, word);
    }
}

#[track_caller]
fn refused(cron: Result<Cron, ScheduleError>, field: &str, word: &str) {
    let error = cron.unwrap_err();
    let ScheduleError::Cron { field: found, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*found, field, "{error}");
    assert!(error.to_string().contains(word), "{error}");
}

#[test]
fn what_would_be_misread_is_refused_with_its_field() {
    for (expression, field, word) in [
        ("", "number of fields", "there are 0"),
        ("* * * *", "number of fields", "there are 4"),
        ("0 0 0 1 1 * 2026", "number of fields", "there are 7"),
        ("*/90 * * * *", "minutes", "only match 0"),
        ("10-20/15 * * * *", "minutes", "longer than"),
        ("*/0 * * * *", "minutes", "step"),
        ("*/x * * * *", "minutes", "step"),
        ("60 * * * *", "minutes", "0 to 59"),
        ("5/15 * * * *", "minutes", "write `5-59/15`"),
        ("-5 * * * *", "minutes", "``"),
        ("+5 * * * *", "minutes", "`+5`"),
        ("0 22-2 * * *", "hours", "write `22-23,0-2`"),
        ("0 24 * * *", "hours", "0 to 23"),
        ("0 ? * * *", "hours", "`?`"),
        ("0 0 0 * *", "day of the month", "1 to 31"),
        ("0 0 MON * *", "day of the month", "MON"),
        ("0 0 32W * *", "day of the month", "1 to 31"),
        ("0 0 * 13 *", "month", "JAN"),
        ("0 0 * * 8", "weekday", "0 to 7"),
        ("0 0 * * L", "weekday", "`5L`"),
        ("0 0 * * 5#6", "weekday", "1 to 5"),
        ("0 0 * * +1", "weekday", "`+1`"),
        ("0 0 * * monday", "weekday", "MONDAY"),
        ("@every 5m", "nickname", ".every("),
        ("@reboot", "nickname", "outlasts"),
        ("@noon", "nickname", "@midnight"),
    ] {
        refused(Cron::new(expression, "UTC"), field, word);
    }
    let zone = Cron::new("0 0 * * *", "Europe/Atlantis").unwrap_err();
    assert!(zone.to_string().contains("Europe/Atlantis"), "{zone}");
    assert!(Cron::new("0 0 * * *", "").is_err());
    // It is none of the fields alone that is wrong.
    let never = Cron::new("0 0 31 2 *", "Europe/Berlin").unwrap();
    assert_eq!(never.after(time("2026-01-01T00:00:00Z")), None);
}

#[test]
fn what_is_rare_is_found_over_many_changes() {
    let cron = Cron::new("30 2 29 2 *", "Europe/Berlin").unwrap();
    let expected = ["2096-02-29T01:30:00Z", "2104-02-29T01:30:00Z"];
    let ticks: Vec<_> = std::iter::successors(cron.after(time("2095-01-01T00:00:00Z")), |tick| {
        cron.after(*tick)
    })
    .take(2)
    .map(|tick| tick.to_string())
    .collect();
    assert_eq!(ticks, expected);
}
