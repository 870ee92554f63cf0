//! The rule by which reports change a task.

use proptest::{prelude::*, sample::select};

use super::*;

fn task() -> Task {
    Task::new(TaskId::new("order-7"))
}

fn report(revision: u64, status: TaskStatus) -> TaskReport {
    let mut report = TaskReport::new(revision, status);
    match status {
        // The output says which report it was.
        TaskStatus::Done => report.output = Some(Json::encode(&revision).unwrap()),
        TaskStatus::Failed => report.error = Some(format!("no {revision}")),
        _ => {}
    }
    report
}

#[test]
fn on_the_same_run_only_a_later_status_counts() {
    for first in TaskStatus::ALL {
        for second in TaskStatus::ALL {
            let mut task = task();
            task.take(&report(5, first));
            let before = task.clone();
            let change = task.take(&report(5, second));
            assert_eq!(
                change.status,
                second.rank() > first.rank(),
                "{first} {second}"
            );
            if change.status {
                assert_eq!(task.status, second);
            } else {
                assert_eq!(task, before);
            }
        }
    }
}

#[test]
fn the_first_end_of_a_run_stays() {
    let mut task = task();
    task.take(&report(1, TaskStatus::Failed));
    assert!(task.take(&report(1, TaskStatus::Done)).is_none());
    assert_eq!(
        (task.status, task.output.as_ref()),
        (TaskStatus::Failed, None)
    );
    assert_eq!(task.error.as_deref(), Some("no 1"));
}

#[test]
fn a_new_run_begins_anew_and_a_late_report_on_the_old_one_changes_nothing() {
    let mut task = task();
    task.take(&report(1, TaskStatus::Done));
    assert!(task.take(&report(2, TaskStatus::Running)).status);
    assert_eq!(
        (task.revision, task.status, &task.output),
        (2, TaskStatus::Running, &None)
    );
    let before = task.clone();
    assert!(task.take(&report(1, TaskStatus::Done)).is_none());
    assert_eq!(task, before);
}

#[test]
fn a_message_changes_no_status() {
    let mut task = task();
    task.take(&report(2, TaskStatus::Running));
    let tell = |revision, text: &str| TaskReport::running(revision).check_in(text).unwrap();
    let told = task.take(&tell(2, "a"));
    assert_eq!(
        told,
        Change {
            status: false,
            check_in: true
        }
    );
    assert!(task.take(&tell(2, "a")).is_none(), "once more");
    assert!(task.take(&tell(1, "b")).is_none(), "of an older run");
    task.take(&report(2, TaskStatus::Done));
    assert!(task.take(&tell(2, "c")).is_none(), "after the end");
    assert_eq!(
        (task.status, task.check_in.unwrap().get()),
        (TaskStatus::Done, "\"a\"")
    );
}

#[test]
fn the_record_is_read_back() {
    let mut full = task();
    full.take(&report(3, TaskStatus::Done).check_in("almost").unwrap());
    (full.stop_asked, full.stop_err) = (true, Some("no route".to_owned()));
    full.error = Some("x".to_owned());
    for task in [task(), full] {
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(serde_json::from_str::<Task>(&text).unwrap(), task, "{text}");
    }
    let text = r#"{"id":"0123456789abcdef0123456789abcdef.a","colour":1}"#;
    let error = serde_json::from_str::<Task>(text).unwrap_err().to_string();
    assert!(error.contains("`colour` of a task"), "{error}");
}

/// Reports such as one sender may send: each run of the task has at most one end.
fn sent() -> impl Strategy<Value = Vec<TaskReport>> {
    let ends = [
        None,
        Some(TaskStatus::Done),
        Some(TaskStatus::Failed),
        Some(TaskStatus::Stopped),
    ];
    let runs = prop::collection::vec((any::<[bool; 3]>(), select(ends.to_vec())), 1..5);
    runs.prop_map(|runs| {
        let mut sent = Vec::new();
        for (revision, (begun, end)) in (1..).zip(runs) {
            let begun = TaskStatus::ALL
                .into_iter()
                .zip(begun)
                .filter(|(_, is_sent)| *is_sent);
            let statuses = begun.map(|(status, _)| status).chain(end);
            sent.extend(statuses.map(|status| report(revision, status)));
        }
        sent
    })
}

proptest! {
    #[test]
    fn in_whatever_order_and_however_often_reports_come_the_record_is_the_same(
        (sent, mixed) in sent().prop_flat_map(|sent| {
            let twice = [sent.clone(), sent.clone()].concat();
            let some = prop::sample::subsequence(twice.clone(), 0..=twice.len());
            let mixed = (some, Just(sent.clone())).prop_map(|(some, all)| [some, all].concat());
            (Just(sent), mixed.prop_shuffle())
        })
    ) {
        let start = task();
        let (mut expected, mut found) = (start.clone(), start);
        for report in &sent {
            expected.take(report);
        }
        for report in &mixed {
            found.take(report);
        }
        prop_assert_eq!(found, expected);
    }
}
