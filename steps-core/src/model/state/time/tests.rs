use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Stamp, Time, plain};
use crate::model::state::arbitrary;

fn text(stamp: &mut Stamp, time: Timestamp) -> String {
    serde_json::to_string(&stamp.of(Some(time))).unwrap()
}

#[test]
fn reads_any_offset_and_refuses_what_is_no_time() {
    let utc = Time::parse("2022-03-19T08:54:44.826117Z").unwrap();
    for same in [
        "2022-03-19T16:54:44.826117+08:00",
        "2022-03-19T08:54:44.826117000Z",
        "2022-03-19t08:54:44.826117z",
        "2022-03-19T03:24:44.826117-05:30",
    ] {
        assert_eq!(Time::parse(same).unwrap(), utc, "{same}");
    }
    for bad in [
        "",
        "2022-03-19",
        "2022-02-29T00:00:00Z",
        "2022-13-01T00:00:00Z",
        "2022-00-01T00:00:00Z",
        "2022-01-00T00:00:00Z",
        "2022-01-01T24:00:00Z",
        "2022-01-01T00:60:00Z",
        "2022-01-01T00:00:00.Z",
        "2022-01-01T00:00:00",
        "2022-01-01T00:00:00.1234567890Z",
        "2022-01-01T00:00:00x",
    ] {
        assert!(Time::parse(bad).is_err(), "{bad}");
    }
    assert!(Time::parse("2024-02-29T00:00:00Z").is_ok());
    assert_eq!(
        Time::parse("2016-12-31T23:59:60Z").unwrap(),
        Time::parse("2016-12-31T23:59:59Z").unwrap(),
    );
}

proptest! {
    #[test]
    fn writes_and_reads_as_jiff_does(
        time in arbitrary::time(),
        later in prop_oneof![0..3_000_000_000_i64, 0..200_000_000_000_000_i64],
    ) {
        let mut stamp = Stamp::new();
        let later = time.checked_add(SignedDuration::from_nanos(later)).unwrap_or(time);
        for time in [time, later, time] {
            let ours = text(&mut stamp, time);
            prop_assert_eq!(&ours, &format!("\"{time}\""));
            prop_assert_eq!(serde_json::from_str::<Time>(&ours).unwrap(), Time(time));
        }
    }

    #[test]
    fn the_short_way_reads_nothing_that_jiff_does_not(
        time in r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?Z",
    ) {
        if let Some(ours) = plain(time.as_bytes()) {
            prop_assert_eq!(ours, time.parse().unwrap());
        }
    }
}

#[test]
fn regression_a_time_after_the_last_one_there_is_was_called_no_time() {
    let parsed = |text: &str| Time::parse(text).map(|time| time.0);
    for text in [
        "9999-12-31T23:59:59Z",
        "9999-12-30T22:00:01Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59+08:00",
        "9999-12-31T23:59:59-12:00",
    ] {
        let held = parsed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(held, Timestamp::MAX, "{text}");
    }
    // What is written of it is read again.
    let last = Timestamp::MAX;
    assert_eq!(parsed(Stamp::new().text(last).unwrap()).unwrap(), last);
    let before = "9999-12-30T22:00:00Z";
    assert_eq!(parsed(before).unwrap(), before.parse().unwrap());
    for text in [
        "9999-12-32T00:00:00Z",
        "9999-12-31",
        "9999-12-31T25:00:00Z",
        "9999",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
}
