//! Which ticks are made, by the two policies.

use super::*;

fn time(text: &str) -> Timestamp {
    format!("2026-03-01T{text}Z").parse().unwrap()
}

/// Each hour, looked at first at half past midnight.
fn hourly(missed: Missed, overlap: Overlap) -> Saved {
    let what = Definition {
        flow: "f".to_owned(),
        input: Json::parse("[1]").unwrap(),
        timing: Timing::every(Duration::from_hours(1), Timestamp::UNIX_EPOCH).unwrap(),
        missed,
        overlap,
        late: Duration::from_mins(1),
        labels: Labels::from([("a".to_owned(), "b".to_owned())]),
        priority: -3,
    };
    Saved::new(what, time("00:30:00"))
}

fn looked(start: &[&str], left_out: Option<&str>) -> Looked {
    Looked {
        start: start.iter().map(|text| time(text)).collect(),
        left_out: left_out.map(time),
    }
}

#[test]
fn missed_ticks_are_left_out_or_made_once_or_all_as_said() {
    let (skip, one) = (Missed::Skip, Missed::One);
    for (missed, now, expected) in [
        (skip, "00:59:59", looked(&[], None)),
        (skip, "01:00:00", looked(&["01:00:00"], None)),
        (skip, "01:01:00", looked(&["01:00:00"], None)),
        (skip, "01:02:00", looked(&[], Some("01:00:00"))),
        (skip, "04:00:01", looked(&["04:00:00"], Some("01:00:00"))),
        (skip, "04:30:00", looked(&[], Some("01:00:00"))),
        (one, "01:30:00", looked(&["01:00:00"], None)),
        (one, "04:30:00", looked(&["04:00:00"], Some("01:00:00"))),
        (
            Missed::All(2),
            "04:30:00",
            looked(&["03:00:00", "04:00:00"], Some("01:00:00")),
        ),
        (
            Missed::All(4),
            "04:30:00",
            looked(&["01:00:00", "02:00:00", "03:00:00", "04:00:00"], None),
        ),
    ] {
        let mut saved = hourly(missed, Overlap::Allow);
        assert_eq!(saved.look(time(now), true), expected, "{missed:?} at {now}");
        let next = saved.what.timing.after(time(now));
        assert_eq!(saved.due(), next);
        assert_eq!(saved.look(time(now), true), Looked::default());
    }
}

#[test]
fn ticks_that_overlap_are_left_out_or_wait_as_said() {
    let mut skips = hourly(Missed::All(9), Overlap::Skip);
    assert_eq!(
        skips.look(time("01:00:00"), false),
        looked(&["01:00:00"], None)
    );
    assert_eq!(
        skips.look(time("02:00:00"), true),
        looked(&[], Some("02:00:00"))
    );
    // The first of two starts an execution that the second overlaps.
    let two = looked(&["03:00:00"], Some("04:00:00"));
    assert_eq!(skips.look(time("04:00:00"), false), two);

    let mut queues = hourly(Missed::One, Overlap::Queue);
    assert_eq!(
        queues.look(time("01:00:00"), false),
        looked(&["01:00:00"], None)
    );
    for now in ["02:00:00", "03:00:00"] {
        assert_eq!(queues.look(time(now), true), Looked::default());
        assert_eq!(queues.due(), Some(time("02:00:00")));
    }
    assert_eq!(
        queues.look(time("03:10:00"), false),
        looked(&["02:00:00"], None)
    );
    assert_eq!(
        queues.look(time("03:20:00"), false),
        looked(&["03:00:00"], None)
    );
    assert_eq!(queues.due(), Some(time("04:00:00")));
}

#[test]
fn a_queue_has_its_bound() {
    let mut saved = hourly(Missed::One, Overlap::Queue);
    let hour = SignedDuration::from_hours(1);
    let first = time("01:00:00");
    let mut now = first;
    for n in 0..1005 {
        let looked = saved.look(now, true);
        assert_eq!(looked.left_out.is_some(), n >= 1000, "{n}");
        now += hour;
    }
    assert_eq!(saved.queued.len(), 1000);
    assert_eq!(saved.queued[0], first + hour * 5);
}

#[test]
fn a_schedule_is_read_as_it_was_written() {
    for missed in [Missed::Skip, Missed::One, Missed::All(7)] {
        for overlap in [Overlap::Allow, Overlap::Skip, Overlap::Queue] {
            let mut saved = hourly(missed, overlap);
            saved.look(time("05:00:00"), true);
            saved.is_paused = missed == Missed::One;
            let duty = saved.to_duty().unwrap();
            assert_eq!(duty.due.is_none(), saved.is_paused);
            assert_eq!(Saved::read(&duty.value), Ok(saved));
        }
    }
    let newer = Json::parse(r#"{"missed":"half"}"#).unwrap();
    let error = Saved::read(&newer).unwrap_err();
    assert!(error.to_string().contains("half"), "{error}");
}
