//! Ticks at equal distances, and those that have come while nobody looked.

use std::time::Duration;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn every(text: &str, anchor: &str) -> Timing {
    use crate::base::duration::AsDuration as _;
    Timing::every(text.as_duration().unwrap(), time(anchor)).unwrap()
}

#[test]
fn ticks_at_equal_distances_are_counted_from_the_anchor() {
    let timing = every("6h", "2026-03-01T01:30:00Z");
    let first = |after: &str| timing.after(time(after)).unwrap().to_string();
    assert_eq!(first("2026-03-01T01:29:59Z"), "2026-03-01T01:30:00Z");
    assert_eq!(first("2026-03-01T01:30:00Z"), "2026-03-01T07:30:00Z");
    assert_eq!(first("2020-01-01T00:00:00Z"), "2020-01-01T01:30:00Z");
    assert_eq!(first("2030-01-01T20:00:00Z"), "2030-01-02T01:30:00Z");
    assert_eq!(timing.after(Timestamp::MAX), None);
    for every in [Duration::ZERO, Duration::from_millis(999), Duration::MAX] {
        let error = Timing::every(every, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error, ScheduleError::Interval { every });
    }
}

#[test]
fn a_time_is_one_tick() {
    let at = time("2026-03-01T00:00:00Z");
    let timing = Timing::At(at);
    assert_eq!(timing.first(time("2026-01-01T00:00:00Z"), 5), [at]);
    assert_eq!(timing.after(at), None);
}

#[test]
fn of_the_ticks_that_have_come_the_newest_are_found_however_many_there_are() {
    let timing = every("1s", "2026-01-01T00:00:00Z");
    let (first, now) = (time("1999-01-01T00:00:00Z"), time("2026-01-01T00:00:00.5Z"));
    let come = timing.come(first, now, 2);
    let newest = ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"].map(time);
    assert_eq!(come.newest, newest);
    assert_eq!(come.left_out, Some(first));
    let yearly = every("365d", "2020-01-01T00:00:00Z");
    let come = yearly.come(time("2020-01-01T00:00:00Z"), now, 100);
    assert_eq!((come.newest.len(), come.left_out), (7, None));
    let none = yearly.come(time("2027-01-01T00:00:00Z"), now, 3);
    assert_eq!((none.newest.len(), none.left_out), (0, None));
}

#[test]
fn a_timing_is_read_as_it_was_written() {
    let at = Timing::At(time("2026-03-01T00:00:00.000000001Z"));
    for timing in [every("1h30m", "2026-03-01T00:00:00Z"), at] {
        let fields = timing.to_fields().into_iter();
        let fields = fields.map(|(name, text)| (name.to_owned(), text)).collect();
        assert_eq!(Timing::from_fields(&fields), Ok(timing));
    }
    let shown = every("25h30m", "2026-03-01T00:00:00Z").to_string();
    assert_eq!(shown, "every 1d1h30m from 2026-03-01T00:00:00Z");
    let unknown = BTreeMap::from([("moon".to_owned(), "full".to_owned())]);
    assert!(Timing::from_fields(&unknown).unwrap_err().contains("moon"));
}
