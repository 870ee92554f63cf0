//! `report` and `stats`.

use std::fs;

use crate::support::{Db, run};

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_reported_in_each_form() {
    let db = Db::with_all().await;
    let text = db.steps(&["report", "held"]).well().out;
    for part in [
        "parcel held: failed",
        "✗ ship",
        "too heavy",
        "Where time went",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\x1b'), "no colours in a pipe");
    let coloured = db.steps(&["report", "held", "--color=always"]).well().out;
    assert!(coloured.contains("\x1b[31m✗\x1b[0m ship"), "{coloured:?}");

    let json = db.steps(&["report", "held", "--json"]).well();
    assert_eq!(
        (&json.one()["id"], &json.one()["status"]),
        (&"held".into(), &"failed".into())
    );
    let same = db.steps(&["report", "held", "--format", "json"]).well();
    assert_eq!(same.one()["nodes"], json.one()["nodes"]);
    db.steps(&["report", "held", "--format", "json", "--json"])
        .well();
    let markdown = db.steps(&["report", "held", "--format", "markdown"]).well();
    assert!(markdown.out.starts_with("# "), "{}", markdown.out);
    let html = db.steps(&["report", "waiting", "--format", "html"]).well();
    assert!(html.out.starts_with("<!"), "{}", html.out);

    db.steps(&["report", "held", "--format", "html", "--json"])
        .refused(2, "--json and --format");
    db.steps(&["report", "held", "--format", "pdf"])
        .refused(2, "possible values: text, json, markdown, html");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_written_into_a_new_file() {
    let db = Db::with_all().await;
    let path = db.path("report.html");
    let to_file = ["report", "held", "--format", "html", "--output", &path];
    let written = db.steps(&to_file).well();
    assert_eq!(written.out, "");
    assert!(written.err.contains(&path), "{}", written.err);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains("too heavy") && page.ends_with('\n'), "{page}");
    db.steps(&to_file).refused(1, "report.html");
    assert_eq!(fs::read_to_string(&path).unwrap(), page, "it is left alone");

    let coloured = db.path("report.txt");
    let args = ["report", "held", "-o", &coloured, "--color=always"];
    db.steps(&args).well();
    let text = fs::read_to_string(&coloured).unwrap();
    assert!(!text.contains('\x1b'), "colours are for terminals: {text}");

    let none = db.path("none.txt");
    db.steps(&["report", "nobody", "-o", &none])
        .refused(3, "there is no execution `nobody`");
    assert!(!fs::exists(&none).unwrap(), "nothing is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_has_statistics() {
    let db = Db::with_all().await;
    let text = db.steps(&["stats", "parcel"]).well();
    for part in ["Statistics of parcel", "ship", "failed"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert_eq!(text.err, "");
    let executions = |args: &[&str]| {
        let all = [&["stats", "parcel", "--json"], args].concat();
        let value = db.steps(&all).well().one();
        value["current"]["executions"].as_u64().unwrap()
    };
    assert_eq!(executions(&[]), 2);
    assert_eq!(executions(&["--last", "7d", "--sample", "1"]), 2);
    assert_eq!(executions(&["--since", "2020-01-01"]), 2);
    assert_eq!(executions(&["--until", "2020-01-01T12:00:00Z"]), 0);
    let range = ["--since", "2020-01-01", "--until", "2020-01-02T00:00"];
    assert_eq!(executions(&range), 0);
    let dated = db.steps(&[&["stats", "parcel", "--json"], &range[..]].concat());
    let dated = dated.well().one();
    assert_eq!(
        (&dated["since"], &dated["until"]),
        (
            &"2020-01-01T00:00:00Z".into(),
            &"2020-01-02T00:00:00Z".into()
        )
    );

    let path = db.path("stats.md");
    let args = ["stats", "parcel", "--format", "markdown", "-o", &path];
    db.steps(&args).well();
    assert!(fs::read_to_string(&path).unwrap().starts_with("# "));

    let none = db.steps(&["stats", "parcels"]).well();
    assert!(
        none.err.contains("no executions of `parcels`"),
        "{}",
        none.err
    );
}

#[test]
fn a_time_that_is_none_is_refused() {
    let stats = |args: &[&str]| {
        run(
            &[&["stats", "parcel", "--db", "memory:"], args].concat(),
            "",
            &[],
        )
    };
    stats(&["--since", "yesterday"]).refused(2, "a time is such as 2026-01-31");
    stats(&["--since", "2026-02-01", "--until", "2026-01-01"]).refused(2, "not after that");
    stats(&["--last", "soon"]).refused(2, "`soon` is no duration");
    stats(&["--last", "1d", "--since", "2026-02-01"]).refused(2, "cannot be used with");
    stats(&["--format", "html", "--json"]).refused(2, "--json and --format");
}
