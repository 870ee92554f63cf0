//! What waits to be written: in order, within its bounds, and told where it is not.

use super::*;
use crate::{
    base::{clock::Clock, json::Json},
    engine::worker::of_engine::OfEngine,
    model::log::LogLevel,
    store::{Lease, MemoryStore, NewExecution, Target},
};

fn turn(logs: &Arc<Logs>, target: Target) -> Arc<TurnLog> {
    let engine = OfEngine {
        store: Arc::new(MemoryStore::new()),
        news: Arc::default(),
        schedule: Arc::default(),
        clock: Clock::default(),
        in_place: false,
    };
    let journal = TurnJournal::new(engine, "id".into(), (None, None), target, None);
    TurnLog::new(logs, &Arc::new(journal))
}

fn held(logs: &Arc<Logs>, key: i64) -> Arc<TurnLog> {
    turn(logs, Target::Held(Lease { key, fence: 1 }))
}

fn log(turn: &TurnLog, path: &str, message: &str) {
    let line = StepLine {
        level: LogLevel::Info,
        attempt: 2,
        is_undo: false,
        message: &message,
    };
    turn.log(path.to_owned(), Timestamp::UNIX_EPOCH, &line);
}

/// What waits, as it goes to the store: the key, the path, what was left out before it, the text.
fn taken(logs: &Logs) -> Vec<String> {
    let lines = lock(&logs.waiting).take();
    let counted = lock(&logs.waiting).bytes;
    assert_eq!(counted, bytes_of_all(logs));
    let text = |line: NewLine| {
        let NewLine {
            key,
            left_out,
            path,
            message,
            ..
        } = line;
        format!("{key} {path} {left_out} {message}")
    };
    lines.into_iter().map(text).collect()
}

fn bytes_of_all(logs: &Logs) -> usize {
    let waiting = lock(&logs.waiting);
    let lines = waiting.steps.values().flat_map(|step| &step.lines);
    lines.map(|(_, line)| bytes(line)).sum()
}

#[test]
fn lines_of_all_turns_go_in_their_order() {
    let logs = Arc::new(Logs::new(LogLimits::DEFAULT));
    let (one, two) = (held(&logs, 1), held(&logs, 2));
    log(&one, "a", "1");
    log(&two, "a", "2");
    log(&one, "b", "3");
    log(&one, "a", "4");
    assert_eq!(taken(&logs), ["1 a 0 1", "2 a 0 2", "1 b 0 3", "1 a 0 4"]);
    assert!(taken(&logs).is_empty());
}

#[test]
fn of_a_step_that_logs_much_the_newest_lines_wait() {
    let logs = Arc::new(Logs::new(LogLimits::DEFAULT.per_step(2).line(8)));
    let one = held(&logs, 1);
    for n in 0..5 {
        log(&one, "loud", &n.to_string());
    }
    log(&one, "quiet", "a long one, cut");
    assert_eq!(
        taken(&logs),
        ["1 loud 3 3", "1 loud 0 4", "1 quiet 0 a lon…"]
    );
}

#[test]
fn one_step_takes_no_room_from_others_for_more_than_a_line() {
    let logs = Arc::new(Logs::new(LogLimits::DEFAULT.waiting(3 * (LINE + 10))));
    let one = held(&logs, 1);
    for n in 0..5 {
        log(&one, "loud", &format!("{n}{n}{n}"));
    }
    log(&one, "quiet", "a");
    log(&one, "quiet", "b");
    let expected = [
        "1 loud 2 222".to_owned(),
        "1 loud 0 333".to_owned(),
        "1 loud 0 444".to_owned(),
        // The lines that were left out, and what stands for the last of them.
        format!("1 quiet 1 {LEFT_OUT}"),
    ];
    assert_eq!(taken(&logs), expected);
    log(&one, "quiet", "c");
    assert_eq!(taken(&logs), ["1 quiet 0 c"], "there is room again");
}

#[test]
fn what_an_execution_logs_before_it_is_made_waits_for_that() {
    let logs = Arc::new(Logs::new(LogLimits::DEFAULT));
    let new = NewExecution {
        id: "id".to_owned(),
        flow: "flow".to_owned(),
        input: Json::encode(&()).unwrap(),
        labels: std::collections::BTreeMap::new(),
        notes: crate::store::Notes::default(),
        priority: 0,
        form: None,
        parent: None,
        singleton: None,
        trace: None,
        created_at: None,
        held: None,
    };
    let unmade = turn(&logs, Target::New(Box::new(new)));
    let made = held(&logs, 1);
    log(&unmade, "a", "1");
    log(&made, "a", "2");
    assert_eq!(taken(&logs), ["1 a 0 2"]);
    drop(unmade);
    assert!(lock(&logs.waiting).steps.is_empty(), "it never was made");
    assert_eq!(lock(&logs.waiting).bytes, 0);
}
