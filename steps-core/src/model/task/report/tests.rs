//! What is a report, and what is none.

use super::*;

#[test]
fn the_status_of_a_task_is_one_of_six() {
    let ranks = TaskStatus::ALL.map(TaskStatus::rank);
    assert_eq!(ranks, [0, 1, 2, 3, 3, 3]);
    for status in TaskStatus::ALL {
        assert_eq!(TaskStatus::from_name(status.as_str()), Some(status));
        assert_eq!(status.is_final(), status.rank() == 3);
    }
    assert_eq!(TaskStatus::from_name("Done"), None);
}

#[test]
fn what_is_no_report_is_told_why() {
    for (text, why) in [
        ("", "EOF"),
        ("[]", "map"),
        ("{}", "`status`"),
        (r#"{"status":"done"}"#, "`revision`"),
        (
            r#"{"status":"over","revision":1}"#,
            "no status `over`: they are `pending`",
        ),
        (r#"{"status":1,"revision":1}"#, "`status`: "),
        (r#"{"status":"done","revision":"1"}"#, "`revision`: "),
        (r#"{"status":"done","revision":-1}"#, "`revision`: "),
        (r#"{"status":"done","revision":0}"#, "`revision` is 0"),
        (
            r#"{"status":"running","revision":1,"output":1}"#,
            "not `done`",
        ),
        (
            r#"{"status":"done","revision":1,"error":"x"}"#,
            "not `failed`",
        ),
        (r#"{"status":"failed","revision":1}"#, "no `error`"),
        (
            r#"{"status":"failed","revision":1,"error":" "}"#,
            "no `error`",
        ),
        (
            r#"{"status":"running","revision":1,"checkIn":""}"#,
            "`checkIn` is empty",
        ),
        (
            r#"{"status":"done","revision":1,"result":1}"#,
            "unknown field `result`, expected one of `revision`",
        ),
    ] {
        let error = TaskReport::from_json(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let long = TaskReport::failed(1, "x".repeat(1 << 20))
        .checked()
        .unwrap();
    assert!(long.error.unwrap().len() <= 8 * 1024);
}

#[test]
fn a_report_is_read_back() {
    for report in [
        TaskReport::new(1, TaskStatus::Scheduled),
        TaskReport::running(u64::MAX).check_in(&[1]).unwrap(),
        TaskReport::done(2, &()).unwrap(),
        TaskReport::failed(3, "no"),
        TaskReport::stopped(4),
    ] {
        assert_eq!(TaskReport::from_json(&report.to_json()), Ok(report));
    }
}
