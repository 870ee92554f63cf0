//! A store whose service encrypts what it saves: read with its keys, and looked at without them.

use std::{fs, time::Duration};

use steps::{
    codec::{Compression, Encryption, Keys, Payload},
    engine::{Builder, Operator},
    prelude::*,
};

use crate::{
    support::{Db, order, parcel, run},
    web::Served,
};

const SECRET: &str = "4111-1111";

/// A key file with this mode.
fn key_file(db: &Db, name: &str, text: &str, mode: u32) -> String {
    let path = db.path(name);
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let _ = mode;
    path
}

fn line(id: &str) -> String {
    Keys::new_line(id).unwrap().to_string()
}

/// An engine that serves the flows, and encrypts.
async fn serve(db: &Db, codec: Encryption) -> Engine {
    let engine: Builder = Engine::open(&db.url()).await.unwrap();
    let engine = engine.codec(codec).serve(order::with());
    let engine = engine.serve(parcel::with()).poll(Duration::from_millis(10));
    engine.start().await.unwrap()
}

/// A store with one that failed and one that waits, whose values are encrypted.
async fn filled(codec: Encryption) -> Db {
    let db = Db::new();
    let engine = serve(&db, codec).await;
    let held = engine.start(parcel::input("anvil".into())).id("held");
    let held = held.attrs(serde_json::json!({"card": SECRET})).await;
    assert_eq!(held.unwrap().ended().await.unwrap().status, Status::Failed);
    let waiting = engine.start(order::input(4711)).id("waiting");
    let waiting = waiting.label("zone", "eu").await.unwrap();
    while waiting.status().await.unwrap() != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let nightly = engine.schedule("nightly", parcel::input(SECRET.into()));
    nightly.every("6h").await.unwrap();
    let flow = engine.flow("parcel");
    let ann = flow.acting_as(Operator::new("ann").reason(SECRET));
    ann.pause().await.unwrap();
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_keys_of_the_service_all_is_read_and_what_is_sent_is_encrypted() {
    let text = format!("# ours\n{}\n{}\n", line("2026-01"), line("2026-12"));
    let codec = || Encryption::new(Keys::parse(&text).unwrap()).context("shop");
    let db = filled(codec().compressed(Compression::new())).await;
    let file = key_file(&db, "keys", &text, 0o600);
    let url = db.url();
    let steps = |args: &[&str]| {
        let env = [("STEPS_KEY_FILE", &*file), ("STEPS_KEY_CONTEXT", "shop")];
        run(&[&["--db", &url], args].concat(), "", &env)
    };

    let shown = steps(&["show", "held"]).well().out;
    for part in ["anvil", SECRET, "too heavy", "ships anvil"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let shown = steps(&["show", "held", "--json"]).well().one();
    assert_eq!(shown["tree"]["input"]["what"], "anvil");
    assert_eq!(shown["execution"]["attrs"]["card"], SECRET);
    assert!(steps(&["list"]).well().out.contains("ships anvil"));
    assert!(
        steps(&["report", "held"]).well().out.contains("too heavy"),
        "the error"
    );
    assert!(steps(&["limits"]).well().out.contains(SECRET));
    steps(&["check"]).well();
    steps(&["schedules"]).well();
    let by_attr = steps(&["list", "attrs.card=4111"]).refused(2, "are encoded in this store");
    assert_eq!(by_attr.out, "");

    let page = Served::start(&db, &["--key-file", &file, "--key-context", "shop"]);
    let one = page.get("/execution?id=held", "");
    assert!(one.contains(SECRET) && one.contains("too heavy"), "{one}");
    drop(page);

    // What is sent is read by the service, and by nobody else.
    steps(&["signal", "waiting", "approval", "true", "--reason", SECRET]).well();
    let raw = fs::read(db.path("steps.db")).unwrap();
    let wal = fs::read(db.path("steps.db-wal")).unwrap_or_default();
    for bytes in [raw, wal] {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET) && !text.contains("too heavy"));
    }
    let engine = serve(&db, codec()).await;
    let waiting = engine.get("waiting").await.unwrap();
    assert_eq!(waiting.ended().await.unwrap().status, Status::Done);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_what_is_encrypted_is_shown_as_such_and_nothing_is_lost() {
    let keys = line("2026-01");
    let codec = || Encryption::new(Keys::parse(&keys).unwrap());
    let db = filled(codec()).await;
    let all: [&[&str]; 11] = [
        &["list"],
        &["list", "--json"],
        &["show", "held"],
        &["show", "held", "--json"],
        &["show", "waiting"],
        &["report", "held"],
        &["log", "held"],
        &["log", "held", "--json"],
        &["stats", "parcel"],
        &["limits"],
        &["check"],
    ];
    for args in all {
        let told = db.steps(args).well();
        let told = told.out + &told.err;
        assert!(!told.contains("steps:1:"), "{args:?}: {told}");
        assert!(!told.contains(SECRET), "{args:?}: {told}");
    }
    let shown = db.steps(&["show", "held"]).well().out;
    for part in [
        "error        (encoded)",
        "input        \"(encoded)\"",
        "\"card\":\"(encoded)\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let listed = db.steps(&["schedules"]).well().out;
    assert!(
        listed.contains("nightly") && listed.contains("it is encoded"),
        "{listed}"
    );
    db.steps(&["export"])
        .refused(4, "has values that are encoded");
    let page = Served::start(&db, &[]);
    let one = page.get("/execution?id=held", "");
    assert!(
        one.starts_with("HTTP/1.1 200 ") && one.contains("(encoded)"),
        "{one}"
    );
    assert!(!one.contains("steps:1:"), "{one}");
    drop(page);

    // What is done without them leaves the values as they are.
    db.steps(&["stop", "waiting"]).well();
    db.steps(&["recover", "held"]).well();
    let engine = serve(&db, codec()).await;
    engine.flow("parcel").resume().await.unwrap();
    let held = engine.get("held").await.unwrap();
    let mut ended = held.ended().await.unwrap();
    while ended.done_at.is_none() || held.info().await.unwrap().due.is_some() {
        ended = held.ended().await.unwrap();
    }
    let tree = held.tree().await.unwrap();
    assert_eq!(tree.input.as_ref().unwrap().get(), r#"{"what":"anvil"}"#);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_and_named() {
    let keys = line("2026-01");
    let db = filled(Encryption::new(Keys::parse(&keys).unwrap())).await;
    let other = key_file(&db, "other", &line("2025-07"), 0o600);
    let steps = |args: &[&str]| db.steps(&[&["--key-file", &other], args].concat());
    for args in [["show", "held"], ["report", "held"], ["recover", "held"]] {
        steps(&args).refused(1, "the key `2026-01`, which is not known here");
    }
    steps(&["export"]).refused(1, "the key `2026-01`");
    let listed = steps(&["list"]).well().out;
    assert!(listed.contains("which is not known here"), "{listed}");
    let one = steps(&["list", "id=held", "--json"]).well().one();
    assert!(one["unreadable"].is_string(), "{one}");
    assert!(!one.to_string().contains("steps:1:"), "{one}");
    steps(&["check"]).refused(5, "2026-01");

    let same = key_file(&db, "same", &line("2026-01"), 0o600);
    let steps = |args: &[&str]| db.steps(&[&["--key-file", &same], args].concat());
    steps(&["show", "held"]).refused(1, "not what was encrypted with the key `2026-01`");
}

#[test]
fn a_key_file_that_can_not_be_is_told_by_its_line_and_without_a_key() {
    let db = Db::new();
    let hex = "0123456789abcdef".repeat(4);
    let url = "memory:";
    let with = |name: &str, text: &str, mode: u32| {
        let path = key_file(&db, name, text, mode);
        let ran = run(&["--db", url, "--key-file", &path, "list"], "", &[]);
        assert!(!format!("{}{}", ran.out, ran.err).contains("0123456789"));
        ran
    };
    with("good", &format!("# one\na {hex}\nb {hex} current\n"), 0o600).well();
    with("short", &format!("a {hex}\nb {}", &hex[1..]), 0o600).refused(
        2,
        "short: line 2 of the keys: a key is 64 hexadecimal digits",
    );
    with("twice", &format!("a {hex}\n\na {hex}"), 0o600).refused(2, "line 3");
    with("empty", "# none\n", 0o600).refused(2, "there is no key");
    #[cfg(unix)]
    with("open", &format!("a {hex}"), 0o644).refused(4, "the permissions 644: `chmod 600` it");
    let path = db.path("nowhere");
    run(&["--db", url, "--key-file", &path, "list"], "", &[]).refused(3, "nowhere");
    run(&["--db", url, "--key-context", "shop", "list"], "", &[]).refused(2, "--key-file");
    run(
        &["--db", url, "--encrypted", "input,ouput", "list"],
        "",
        &[],
    )
    .refused(2, "input, output, signal, error, attr, note, duty");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_encrypts_with_the_keys_of_the_other_store() {
    let (old, new) = (line("2026-01"), line("2027-01"));
    let codec = |keys: &str| Encryption::new(Keys::parse(keys).unwrap());
    let db = filled(codec(&old)).await;
    let from = key_file(&db, "from", &old, 0o600);
    let exported = db.path("all.jsonl");
    db.steps(&["--key-file", &from, "export", "-o", &exported])
        .well();
    assert!(fs::read_to_string(&exported).unwrap().contains(SECRET));

    let other = Db::new();
    let engine = serve(&other, codec(&new)).await;
    engine.shutdown(Duration::ZERO).await.unwrap();
    let to = key_file(&other, "to", &new, 0o600);
    other
        .steps(&["--key-file", &to, "import", &exported, "--yes"])
        .well();
    let shown = other.steps(&["--key-file", &to, "show", "held"]).well();
    assert!(shown.out.contains(SECRET) && shown.out.contains("too heavy"));
    other
        .steps(&["--key-file", &from, "show", "held"])
        .refused(1, "the key `2027-01`");
    let bare = other.steps(&["show", "held"]).well().out;
    assert!(bare.contains("(encoded)") && !bare.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_by_the_kinds_that_are_left_plain() {
    let keys = line("2026-01");
    let kinds = [Payload::Input, Payload::Output, Payload::Error];
    let db = filled(Encryption::new(Keys::parse(&keys).unwrap()).only(kinds)).await;
    let file = key_file(&db, "keys", &keys, 0o600);
    let args = ["--key-file", &file, "--encrypted", "input,output,error"];
    let filter = format!("attrs.card={SECRET}");
    let found = db.steps(&[&args[..], &["list", &filter, "--json"]].concat());
    assert_eq!(found.well().one()["id"], "held");
    db.steps(&[&args[..], &["list", "error=~heavy"]].concat())
        .refused(2, "`error` are encoded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_compressed_is_read_without_keys() {
    let db = Db::new();
    let engine = Engine::open(&db.url()).await.unwrap();
    let engine = engine.codec(Compression::new()).serve(parcel::with());
    let engine = engine.start().await.unwrap();
    let long = "book ".repeat(1000);
    let run = engine.start(parcel::input(long.clone())).id("long");
    run.await.unwrap().outcome().await.unwrap();
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    let shown = db.steps(&["show", "long"]).well().out;
    assert!(shown.contains("\"(encoded)\""), "{shown}");
    db.steps(&["export"]).refused(4, "--compressed");
    let shown = db.steps(&["--compressed", "show", "long", "--json"]).well();
    assert_eq!(shown.one()["tree"]["input"]["what"], long);
    let env = [("STEPS_COMPRESSED", "1")];
    run_with(&db, &["export"], &env).well();
}

fn run_with(db: &Db, args: &[&str], env: &[(&str, &str)]) -> crate::support::Ran {
    run(&[&["--db", &db.url()], args].concat(), "", env)
}
