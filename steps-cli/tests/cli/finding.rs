//! `list`, `count`, `show`.

use crate::support::{Db, run};

#[tokio::test(flavor = "multi_thread")]
async fn executions_are_listed_counted_and_shown() {
    let db = Db::with_all().await;

    let all = db.steps(&["list"]).well();
    let lines: Vec<&str> = all.out.lines().collect();
    assert_eq!(lines.len(), 8, "{}", all.out);
    assert!(lines[0].starts_with("ID"), "{}", all.out);
    assert!(
        lines[1].starts_with("waiting"),
        "the newest first: {}",
        all.out
    );
    let held = lines.iter().find(|line| line.starts_with("held")).unwrap();
    for part in ["parcel", "failed", "1 done, 1 failed", "ships anvil"] {
        assert!(held.contains(part), "{part}: {held}");
    }
    assert!(!all.out.contains('\x1b'), "no colours in a pipe");

    // JSON lines, with the language of filters, in an order, in pages.
    let listed = |args: &[&str]| {
        let ran = db.steps(&[&["list", "--json"], args].concat()).well();
        let ids = ran.json().into_iter();
        ids.map(|it| it["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&["status={failed stuck}"]), ["stuck", "held"]);
    assert_eq!(listed(&["flow=parcel", "label.zone=eu"]), ["sent"]);
    assert_eq!(listed(&["attrs.big=9007199254740993"]), ["held"]);
    assert_eq!(
        listed(&["--sort=flow,-id", "--limit=3"]),
        ["stuck", "waiting", "undone"]
    );
    assert_eq!(listed(&["--all", "limit=3"]).len(), 7);
    let page = db.steps(&["list", "--limit", "2", "--json"]).well().json();
    let after = page[1]["cursor"].as_str().unwrap();
    assert_eq!(listed(&["--after", after, "--limit", "1"]), ["undone"]);
    let told = db.steps(&["list", "--limit", "2"]).well();
    assert!(told.err.contains(after), "{}", told.err);
    assert!(
        !db.steps(&["list", "--limit", "7"])
            .well()
            .err
            .contains("--after")
    );

    let held = &db.steps(&["list", "id=held", "--json"]).well().json()[0];
    assert_eq!(held["attrs"]["big"], 9_007_199_254_740_993_u64);
    assert_eq!(held["steps"]["failed"], 1);
    assert_eq!(held["error"], "ship: too heavy,\nby far");

    assert_eq!(db.steps(&["count"]).well().out, "7\n");
    let counted = db.steps(&["count", "status=done", "--json"]).well();
    assert_eq!(counted.out, "{\"count\":1}\n");

    let shown = db.steps(&["show", "held"]).well().out;
    for part in [
        "flow         parcel",
        "failed",
        "ships anvil",
        "✓ packed",
        "✗ ship",
        "by far",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = db.steps(&["show", "sent", "--json"]).well().one();
    assert_eq!(shown["execution"]["output"], "packed book");
    assert_eq!(shown["tree"]["input"]["what"], "book");
    assert_eq!(shown["tree"]["states"][0]["name"], "packed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_found_is_told() {
    let db = Db::with_all().await;
    db.steps(&["show", "nobody"])
        .refused(3, "there is no execution `nobody`");
    let told = db
        .steps(&["show", "nobody", "--json"])
        .refused(3, "not_found");
    assert_eq!(told.out, "");
    db.steps(&["list", "stauts=failed"])
        .refused(2, "there is no key `stauts`: id, flow");
    db.steps(&["list", "status=done", "status=failed"])
        .refused(2, "`status` stands twice");
    db.steps(&["list", "--after", "x"])
        .refused(2, "no place in a list");
    db.steps(&["list", "--sort", "size"])
        .refused(2, "can't be sorted by `size`");
    db.steps(&["count", "status=done,unfinished=true"])
        .refused(2, "no execution can meet");
    let none = db.steps(&["list", "flow=none"]).well();
    assert_eq!(
        (none.out.as_str(), none.err.as_str()),
        ("", "no executions\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_and_widths_are_those_of_the_terminal() {
    let db = Db::with_all().await;
    let url = db.url();
    let list = |more: &[&str], env: &[(&str, &str)]| {
        run(&[&["--db", &url, "list"], more].concat(), "", env)
            .well()
            .out
    };
    assert!(list(&["--color", "always"], &[]).contains("\x1b[38;5;1mfailed"));
    assert!(list(&[], &[("CLICOLOR_FORCE", "1")]).contains('\x1b'));
    assert!(!list(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
    assert!(!list(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]).contains('\x1b'));
    let narrow = list(&[], &[("COLUMNS", "70")]);
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 70),
        "{narrow}"
    );
    let shown = run(&["--db", &url, "show", "held", "--color=always"], "", &[])
        .well()
        .out;
    assert!(shown.contains("\x1b[31m✗\x1b[0m ship"), "{shown:?}");
}
