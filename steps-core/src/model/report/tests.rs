//! Reports of executions that ended in all ways, as text: `tests/*.txt`, which
//! `UPDATE=1 cargo test -p steps-core report` writes anew. What the other forms say is the same document.

use std::path::Path;

use super::*;
use crate::model::state::State;

const AT: &str = "2026-01-01T00:01:00Z";

fn report(json: &str) -> Report {
    let state = State::from_json(json).unwrap();
    state.report_at(AT.parse().unwrap())
}

/// Compares the text of a report with the one in a file.
fn golden(name: &str, report: &Report) -> String {
    let text = report.text().to_string();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/model/report/tests/{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{}", file.display());
    text
}

fn time(ms: u32) -> String {
    format!("\"2026-01-01T00:00:{:02}.{:03}Z\"", ms / 1000, ms % 1000)
}

/// A node with a name and other fields, when it began and was done, in milliseconds, and what is below it.
fn node(
    name: &str,
    from: u32,
    to: impl Into<Option<u32>>,
    fields: &str,
    below: &[String],
) -> String {
    let done = to.into().map_or("null".to_owned(), time);
    let from = time(from);
    let below = below.join(",");
    format!(r#"{{"name":"{name}","startedAt":{from},"doneAt":{done},{fields}"states":[{below}]}}"#)
}

fn paths<'a>(report: &'a Report, places: impl IntoIterator<Item = &'a usize>) -> Vec<&'a str> {
    let places = places.into_iter();
    places.map(|i| &*report.nodes[*i].path).collect()
}

fn critical(report: &Report) -> Vec<&str> {
    paths(report, report.critical_path.iter().map(|on| &on.node))
}

#[test]
fn done() {
    let retried = r#""attempts":3,"waitedNanos":1500000000,"#;
    let below = [
        node("unpack", 0, 100, "", &[]),
        node("start", 100, 2100, retried, &[]),
        node("pause", 2100, 3100, r#""stepKind":"sleep","#, &[]),
        node("ask", 4100, 5000, r#""stepKind":"signal","input":1,"#, &[]),
    ];
    let fields = r#""kind":"flow","id":"d-1","labels":{"env":"test"},"#;
    let report = report(&node("deploy", 0, 5000, fields, &below));
    golden("done", &report);
    let ms = Duration::from_millis;
    let time = report.time;
    assert_eq!((time.work, time.between_attempts), (ms(600), ms(1500)));
    assert_eq!((time.sleep, time.signal), (ms(1000), ms(900)));
    assert_eq!((report.idle, report.took), (ms(1000), ms(5000)));
    let json = report.json();
    for part in [
        r#""id":"d-1","flow":"deploy","status":"done","labels":{"env":"test"}"#,
        r#""idleNanos":1000000000"#,
        r#"{"path":"start","tookNanos":2000000000,"assumed":false}"#,
        r#""slowest":["start","pause","ask","unpack"]"#,
        r#""time":{"workNanos":500000000,"betweenAttemptsNanos":1500000000,"#,
    ] {
        assert!(json.get().contains(part), "{part} in {json}");
    }
    let with_queue = report.created("2025-12-31T23:59:58Z".parse().unwrap());
    assert_eq!(with_queue.queue, Some(ms(2000)));
    assert!(
        with_queue
            .json()
            .get()
            .contains(r#""queueNanos":2000000000"#)
    );
}

fn undo(from: u32, to: u32, fields: &str) -> String {
    format!(
        r#""undo":{{"startedAt":{},"doneAt":{},{fields}}},"#,
        time(from),
        time(to)
    )
}

#[test]
fn failed_and_undone() {
    let a = format!(
        r#""status":"undone",{}"#,
        undo(2000, 3000, r#""attempts":2"#)
    );
    let b = r#""status":"undone","err":"no | disk","attempts":2,"#;
    let b = format!("{b}{}", undo(1500, 2000, r#""attempts":1"#));
    let below = [node("a", 0, 100, &a, &[]), node("b", 100, 1100, &b, &[])];
    let fields = r#""kind":"flow","status":"undone","err":"no | disk","#;
    let report = report(&node("f", 0, 3000, fields, &below));
    let text = golden("failed_and_undone", &report);
    // The pause between the attempts of `b` is not recorded.
    assert!(
        text.contains("Of some steps with several attempts"),
        "{text}"
    );
    assert_eq!(report.time.unknown, Duration::from_secs(1));
    assert_eq!(report.time.undo, Duration::from_millis(1500));
    assert_eq!(report.idle, Duration::from_millis(400));
    assert_eq!(paths(&report, &report.undone), ["b", "a"]);
    let markdown = report.markdown().to_string();
    assert!(markdown.contains(r"| b | 1 | no \| disk |"), "{markdown}");
}

#[test]
fn stuck() {
    let a = r#""status":"undo_failed","#;
    let a = format!("{a}{}", undo(1100, 2000, r#""attempts":3,"err":"gone""#));
    let b = r#""status":"failed","err":"no","#;
    let below = [node("a", 0, 100, &a, &[]), node("b", 100, 1100, b, &[])];
    let fields = r#""kind":"flow","status":"stuck","err":"no","#;
    golden("stuck", &report(&node("f", 0, None, fields, &below)));
}

#[test]
fn waiting() {
    let retried = r#""status":"waiting","attempts":2,"waitedNanos":3000000000,"err":"busy","stepKind":"call","until":"2026-01-01T00:02:00Z","since":"2026-01-01T00:00:10Z","#;
    let join = r#""status":"waiting","stepKind":"join","input":"child-1","until":"child","#;
    let both = [
        node("call", 0, None, retried, &[]),
        node("bill", 0, None, join, &[]),
    ];
    let fields = r#""kind":"flow","status":"waiting","#;
    let both = node(
        "both",
        0,
        None,
        r#""kind":"parallel","status":"waiting","#,
        &both,
    );
    let report = report(&node("f", 0, None, fields, &[both]));
    golden("waiting", &report);
    assert_eq!(report.time.work, Duration::from_secs(7));
    assert_eq!(report.time.between_attempts, Duration::from_secs(53));
    assert_eq!(report.time.child, Duration::from_mins(1));
}

#[test]
fn parallel() {
    let lines = [
        node("a", 0, 1000, "", &[]),
        node("b", 0, 400, "", &[]),
        node("c", 400, 1500, r#""needs":["b"],"#, &[]),
        node("d", 1000, 1200, r#""needs":["a","b"],"#, &[]),
    ];
    let all = node("all", 0, 1500, r#""kind":"parallel","#, &lines);
    let race = [
        node("quick", 1500, 1600, "", &[]),
        node(
            "slow",
            1500,
            1900,
            r#""err":"given up","cause":"lostRace","#,
            &[],
        ),
    ];
    let race = node(
        "race",
        1500,
        1900,
        r#""kind":"race","chosen":"quick","#,
        &race,
    );
    let report = report(&node("f", 0, 1900, r#""kind":"flow","#, &[all, race]));
    golden("parallel", &report);
    assert_eq!(critical(&report), ["all.b", "all.c", "race.quick"]);
    assert!(report.critical_path.iter().all(|on| !on.assumed));
}

#[test]
fn looped() {
    let round = |n: u32, from, decision| {
        let tick = node("tick", from, from + 100, "", &[]);
        let fields = format!(r#""kind":"round","decision":{decision},"#);
        node(&n.to_string(), from, from + 100, &fields, &[tick])
    };
    let rounds = [round(7, 0, false), round(8, 100, true)];
    let rounds = node("rounds", 0, 200, r#""kind":"loop","#, &rounds);
    let item = |key: &str, from, to| {
        let copy = node("copy", from, to, "", &[]);
        node(key, from, to, r#""kind":"item","#, &[copy])
    };
    // Two at once: the third began when the second had ended.
    let items = [
        item("x", 200, 900),
        item("y", 200, 500),
        item("z", 500, 1000),
    ];
    let each = node(
        "each",
        200,
        1000,
        r#""kind":"for","parallel":true,"#,
        &items,
    );
    let report = report(&node("f", 0, 1000, r#""kind":"flow","#, &[rounds, each]));
    golden("looped", &report);
    let path = [
        "rounds.7.tick",
        "rounds.8.tick",
        "each.y.copy",
        "each.z.copy",
    ];
    assert_eq!(critical(&report), path);
    let assumed = report.critical_path.iter().map(|on| on.assumed);
    assert_eq!(assumed.collect::<Vec<_>>(), [false, false, true, false]);
    assert!(
        report.notes[0].contains("is not recorded"),
        "{:?}",
        report.notes
    );
}

#[test]
fn names_and_errors_are_escaped_in_every_form() {
    let bad = r#""status":"failed","err":"<img src=x onerror=alert(1)>`|*\n# a","#;
    let below = [node("<b>|_x_", 0, 10, bad, &[])];
    let fields = r#""kind":"flow","id":"\"><script>","labels":{"<i>":"[a](b)"},"#;
    let report = report(&node("f", 0, 10, fields, &below));
    let html = report.html().to_string();
    for tag in ["<img", "<b>", "<i>", "<script"] {
        assert!(!html.contains(tag), "{tag} in {html}");
    }
    assert!(
        html.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{html}"
    );
    let markdown = report.markdown().to_string();
    let fenced: Vec<&str> = markdown.split("```").collect();
    assert_eq!(fenced.len(), 3, "{markdown}");
    let outside = format!("{}{}", fenced[0], fenced[2]);
    assert!(!outside.contains('<'), "{outside}");
    assert!(outside.contains(r"&lt;b&gt;\|\_x\_"), "{outside}");
    assert!(outside.contains(r"\[a\](b)"), "{outside}");
    // JSON has all of it, to the byte.
    let json: serde_json::Value = report.json().decode().unwrap();
    assert_eq!(json["nodes"][1]["path"], "<b>|_x_");
    assert_eq!(
        json["nodes"][1]["errors"][0],
        "<img src=x onerror=alert(1)>`|*\n# a"
    );
}

#[test]
fn not_begun() {
    let report = report(r#"{"name":"f","kind":"flow","states":[]}"#);
    assert_eq!(
        report.text().to_string(),
        "f: pending\n\nIt has not begun.\n\n  · f"
    );
    assert_eq!((report.took, report.idle), (Duration::ZERO, Duration::ZERO));
}

proptest::proptest! {
    #[test]
    fn every_tree_has_a_report_in_each_form(state in crate::model::state::arbitrary::state()) {
        let report = state.report_at(AT.parse().unwrap());
        assert_eq!(report.nodes.len(), state.walk().count());
        for on in &report.critical_path {
            assert_eq!(report.nodes[on.node].kind, Kind::Step);
        }
        assert!(report.json().get().starts_with('{'));
        assert!(report.html().to_string().ends_with("</html>\n"));
        assert!(!report.text().to_string().is_empty());
        assert!(!report.markdown().to_string().is_empty());
    }
}
