//! What is in a file, and what a changed file is.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use rusqlite::Connection;
use steps::{
    codec::{Compression, Encryption, Keys},
    engine::{EngineError, Filter, Operator},
    prelude::*,
    store::ErrorKind,
};

#[step]
async fn charge(card: &str) -> Result<String, String> {
    Ok(format!("receipt of {card}"))
}

#[undo(charge)]
async fn refund(_card: &str, _receipt: &str) -> Result<(), String> {
    Ok(())
}

#[step(retry(times = 2, every = "1ms"))]
async fn note(cx: &Cx, sent: &str) -> Result<String, String> {
    if cx.attempt() == 1 {
        return Err(format!("hush-error of {sent}"));
    }
    cx.log("hush-log");
    cx.patch_attrs(&BTreeMap::from([("patched", "hush-patched")]))
        .map_err(|e| e.to_string())?;
    cx.set_status_message("hush-status");
    Ok(sent.to_owned())
}

#[flow]
async fn pay(card: String) -> Result<String, String> {
    steps! {
        receipt = charge(&card);
        sent = steps::signal::<String>();
        noted = note(cx, &sent);
        child = start nested(noted.clone());
        joined = join child;
    }
    let _: () = joined;
    Ok(receipt)
}

#[flow]
async fn nested(text: String) -> Result<(), String> {
    steps! { receipt = charge(&text); }
    Err(format!("hush-end of {receipt}"))
}

fn encryption() -> Encryption {
    let keys = Keys::new("k1", [1; 32]).unwrap();
    Encryption::new(keys).compressed(Compression::new().threshold(1))
}

/// Returns all that is in a store's files.
fn bytes(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap();
    let all = files.map(|file| fs::read(file.unwrap().path()).unwrap());
    String::from_utf8_lossy(&all.collect::<Vec<_>>().concat()).into_owned()
}

async fn run(folder: &Path, codec: Option<Encryption>) {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let builder = Engine::open(&url).await.unwrap();
    let builder = match codec {
        Some(codec) => builder.codec(codec),
        None => builder,
    };
    let engine = builder
        .serve(pay::with())
        .serve(nested::with())
        .start()
        .await
        .unwrap();
    let start = engine
        .start(pay::input("hush-card".into()))
        .id("x")
        .label("shop", "plain-label");
    let start = start.attrs(serde_json::json!({"plain_name": {"deep": "hush-attr", "n": 7}}));
    let run = start.await.unwrap();
    let ann = Operator::new("ann").reason("hush-reason");
    run.acting_as(ann)
        .signal_path("sent", &"hush-signal")
        .await
        .unwrap();
    let schedule = engine.schedule("nightly", pay::input("hush-schedule".into()));
    schedule.every("6h").await.unwrap();
    assert!(run.outcome().await.is_err(), "the child fails");
    let info = run.info().await.unwrap();
    assert!(
        info.error
            .unwrap()
            .contains("hush-end of receipt of hush-signal")
    );
    assert_eq!(info.status_message.as_deref(), Some("hush-status"));
    let log = run.log().step("noted").await.unwrap();
    assert_eq!(log.last().map(|line| &*line.message), Some("hush-log"));
    assert_eq!(info.acts[0].reason.as_deref(), Some("hush-reason"));
    assert_eq!(info.attrs.get::<u64>("plain_name.n").unwrap(), Some(7));
    assert_eq!(
        info.attrs.get::<String>("patched").unwrap().as_deref(),
        Some("hush-patched")
    );
    let all = engine.schedules().await.unwrap();
    assert_eq!(all.len(), 1);
    let tree = run.tree().await.unwrap().to_json();
    for text in ["hush-card", "hush-signal", "hush-end", "receipt of"] {
        assert!(tree.contains(text), "{text} in {tree}");
    }
    let exported = run.export().await.unwrap();
    assert_eq!(exported.input.get(), r#"{"card":"hush-card"}"#);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn nothing_that_is_secret_is_in_the_files() {
    let [plain, sealed] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    run(plain.path(), None).await;
    assert!(
        bytes(plain.path()).contains("hush"),
        "else this test tests nothing"
    );
    run(sealed.path(), Some(encryption())).await;
    let bytes = bytes(sealed.path());
    assert!(!bytes.contains("hush") && !bytes.contains("receipt of"));
    for text in ["plain-label", "plain_name", "receipt", "nightly"] {
        assert!(bytes.contains(text), "{text}");
    }
}

async fn two(folder: &Path) -> Engine {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let builder = Engine::open(&url).await.unwrap().codec(encryption());
    builder
        .serve(nested::with())
        .serve(pay::with())
        .start()
        .await
        .unwrap()
}

/// Puts a value of one execution, or of one step, in the place of another.
async fn swapped(sql: &str) -> (Result<String, EngineError>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let engine = two(folder.path()).await;
    for id in ["a", "b"] {
        let run = engine.start(nested::input(format!("of-{id}"))).id(id);
        let attrs = serde_json::json!({"one": id, "two": format!("2{id}")});
        let _ = run.attrs(attrs).await.unwrap().outcome().await;
    }
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    let db = Connection::open(folder.path().join("steps.db")).unwrap();
    let changed = db.execute_batch(sql);
    changed.unwrap();
    drop(db);
    let engine = two(folder.path()).await;
    let run = engine.get("a").await.unwrap();
    let read = run.tree().await.map(|tree| tree.to_json());
    let listed = engine.list(Filter::new()).await.unwrap();
    assert_eq!(
        listed.len(),
        2,
        "one that can't be read does not take the list down"
    );
    let unreadable = listed
        .into_iter()
        .find(|info| info.id == "a")
        .unwrap()
        .unreadable;
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    (read, unreadable)
}

#[tokio::test]
async fn a_value_in_another_place_is_noticed() {
    let (read, unreadable) = swapped("SELECT 1").await;
    assert!(
        read.is_ok() && unreadable.is_none(),
        "else this test tests nothing"
    );
    for (sql, is_listed) in [
        (
            "UPDATE executions SET input = (SELECT input FROM executions WHERE id = 'b') WHERE id = 'a'",
            false,
        ),
        (
            "UPDATE executions SET attrs = (SELECT attrs FROM executions WHERE id = 'b') WHERE id = 'a'",
            true,
        ),
        (
            "UPDATE executions SET attrs = json_set(attrs, '$.one', attrs->>'two') WHERE id = 'a'",
            true,
        ),
        (
            "UPDATE executions SET error = (SELECT error FROM executions WHERE id = 'b') WHERE id = 'a'",
            true,
        ),
    ] {
        let (read, unreadable) = swapped(sql).await;
        let error = read.expect_err(sql);
        let EngineError::Store(store) = &error else {
            panic!("{error}");
        };
        assert_eq!(store.kind(), ErrorKind::Corrupt, "{sql}: {error}");
        assert!(error.to_string().starts_with("execution `a`"), "{error}");
        assert_eq!(unreadable.is_some(), is_listed, "{sql}");
    }
}

#[tokio::test]
async fn a_step_whose_value_was_changed_is_named() {
    let sql = "UPDATE nodes SET output = replace(output, 'steps:1:k:', 'steps:1:k:A')";
    let (read, _) = swapped(sql).await;
    let error = read.unwrap_err().to_string();
    assert!(
        error.starts_with("execution `a`, step `receipt`: the output can't be read"),
        "{error}"
    );
}

#[tokio::test]
async fn a_query_that_looks_inside_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engine = two(folder.path()).await;
    let start = engine.start(nested::input("x".into())).id("a");
    let _ = start
        .attrs(serde_json::json!({"n": 1}))
        .await
        .unwrap()
        .outcome()
        .await;
    for text in ["attrs.n=1", "error=~x", "status_message=x", "sort=-error"] {
        let found = engine.list(Filter::parse(text).unwrap()).await;
        let told = found.expect_err(text).to_string();
        assert!(told.contains("encoded in this store"), "{told}");
        let deleted = engine.delete_where(Filter::parse(text).unwrap()).await;
        assert!(deleted.is_err() || text.starts_with("sort"), "{text}");
    }
    // Whether there is one can be asked.
    let found = engine.count(Filter::parse("attrs.m=null").unwrap()).await;
    assert_eq!(found.unwrap(), 1);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn an_export_is_decoded_and_an_import_encoded_again() {
    let [from, to] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let engine = two(from.path()).await;
    let run = engine
        .start(nested::input("hush-card".into()))
        .id("a")
        .await
        .unwrap();
    let _ = run.outcome().await;
    let exported = run.export().await.unwrap();
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    let url = format!("sqlite:{}", to.path().join("steps.db").display());
    let keys = Keys::new("k2", [2; 32]).unwrap();
    let engine = Engine::open(&url)
        .await
        .unwrap()
        .codec(Encryption::new(keys));
    let engine = engine.serve(nested::with()).start().await.unwrap();
    assert!(engine.import(exported).await.unwrap());
    let tree = engine.get("a").await.unwrap().tree().await.unwrap();
    assert_eq!(
        tree.input.as_ref().unwrap().get(),
        r#"{"text":"hush-card"}"#
    );
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    assert!(!bytes(to.path()).contains("hush"));
}
