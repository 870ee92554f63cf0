//! Keys that change while executions wait, are missing, or do not fit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use steps::{
    Status,
    codec::{CodecStore, Encryption, Keys},
    engine::{Builder, EngineError, Filter},
    log::{LogLevel, LogLine},
    prelude::*,
    store::{ErrorKind, ExecutionQuery, NewLine, NewLines, Store as _},
};

use crate::support::{Db, on_each_store};

#[step]
async fn secret(seed: &str) -> Result<String, String> {
    Ok(format!("{seed}-made"))
}

#[step]
async fn both(made: &str, sent: &str) -> Result<String, String> {
    Ok(format!("{made} and {sent}"))
}

#[flow]
async fn sealed(seed: String) -> Result<String, String> {
    steps! {
        made = secret(&seed);
        sent = steps::signal::<String>();
        all = both(&made, &sent);
    }
    Ok(all)
}

/// A flow that is never encrypted here, and must not be held up.
#[flow]
async fn other(seed: String) -> Result<String, String> {
    steps! { made = secret(&seed); }
    Ok(made)
}

fn keys(ids: &[u8]) -> Keys {
    let id = |byte: u8| char::from(byte).to_string();
    let first = Keys::new(id(ids[0]), [ids[0]; 32]).unwrap();
    ids[1..].iter().fold(first, |keys, byte| {
        keys.newer(id(*byte), [*byte; 32]).unwrap()
    })
}

async fn engine(db: &Db, ids: &[u8]) -> Builder {
    db.engine()
        .await
        .codec(Encryption::new(keys(ids)))
        .serve(sealed::with())
        .serve(other::with())
}

fn kind(error: &EngineError) -> Option<ErrorKind> {
    match error {
        EngineError::Store(error) => Some(error.kind()),
        _ => None,
    }
}

async fn waiting(run: &steps::engine::Handle) {
    while run.status().await.unwrap() != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const GRACE: Duration = Duration::from_secs(5);

on_each_store! {
    async fn keys_change_while_executions_wait(db) {
        let first = engine(&db, b"a").await.start().await.unwrap();
        let run = first.start(sealed::input("seed".into())).id("x").await.unwrap();
        waiting(&run).await;
        first.shutdown(GRACE).await.unwrap();

        let second = engine(&db, b"ab").await.start().await.unwrap();
        let run = second.execution::<sealed>("x").await.unwrap();
        run.signal(sealed::STEPS.sent, &"word".to_owned()).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), "seed-made and word");
        second.shutdown(GRACE).await.unwrap();
    }

    async fn a_missing_key_loses_nothing_and_holds_up_nothing(db) {
        let first = engine(&db, b"a").await.start().await.unwrap();
        let run = first.start(sealed::input("seed".into())).id("x").await.unwrap();
        waiting(&run).await;
        run.signal_path("sent", &"word").await.unwrap();
        first.shutdown(GRACE).await.unwrap();
        // It is made due again for the case that the first engine has finished it.
        let first = engine(&db, b"a").await.start().await.unwrap();
        let again = first.start(sealed::input("seed".into())).id("y").await.unwrap();
        waiting(&again).await;
        first.shutdown(GRACE).await.unwrap();

        let store = CodecStore::new(db.store().await, Arc::new(Encryption::new(keys(b"b"))));
        let told = store.load("y".into()).await.unwrap_err();
        assert_eq!(told.kind(), ErrorKind::NoKey);
        assert_eq!(
            told.to_string(),
            "execution `y`: the input can't be read: it is encrypted with the key `a`, which is not \
             known here"
        );

        let second = engine(&db, b"b").await.start().await.unwrap();
        // To one that it can't read, it can send.
        let unread = second.get("y").await.unwrap();
        unread.signal_path("sent", &"other").await.unwrap_err();
        // All others go on.
        let run = second.start(other::input("fine".into())).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), "fine-made");
        let listed = second.list(Filter::new()).await.unwrap();
        assert_eq!(listed.len(), 3);
        let of_y = listed.iter().find(|info| info.id == "y").unwrap();
        assert_eq!(of_y.status, Status::Waiting);
        let error = second.start(sealed::input("seed".into())).id("y").await.unwrap_err();
        assert_eq!(kind(&error), Some(ErrorKind::NoKey), "{error}");
        let damages = second.check().await.unwrap().damages;
        assert!(damages.iter().any(|damage| damage.execution.as_deref() == Some("y")));
        second.shutdown(GRACE).await.unwrap();

        let third = engine(&db, b"ba").await.start().await.unwrap();
        let run = third.execution::<sealed>("y").await.unwrap();
        run.signal(sealed::STEPS.sent, &"word".to_owned()).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), "seed-made and word");
        assert!(third.check().await.unwrap().is_sound());
        third.shutdown(GRACE).await.unwrap();
    }

    /// A process that lacks the key of what is due leaves it, and one that has it goes on at once.
    async fn what_one_process_cannot_read_another_goes_on_with(db) {
        let first = engine(&db, b"a").await.start().await.unwrap();
        let run = first.start(sealed::input("seed".into())).id("x").await.unwrap();
        waiting(&run).await;
        first.shutdown(GRACE).await.unwrap();

        let without = engine(&db, b"b").await.start().await.unwrap();
        let sender = CodecStore::new(db.store().await, Arc::new(Encryption::new(keys(b"a"))));
        let message = steps::store::SendMessage {
            id: "x".into(),
            message: steps::store::Message::Undo,
            if_status: Vec::new(),
            if_taken: None,
            queue: steps::store::Queue::Replace,
        };
        sender.send(message).await.unwrap();
        let mut query = ExecutionQuery::default();
        query.id = Some("x".into());
        let refused = loop {
            let info = sender.list(query.clone()).await.unwrap().remove(0);
            if let Some(refused) = info.refused {
                break refused;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(refused.why.contains("the key `a`, which is not known here"), "{}", refused.why);

        let with = engine(&db, b"ba").await.start().await.unwrap();
        let run = with.execution::<sealed>("x").await.unwrap();
        assert_eq!(run.ended().await.unwrap().status, Status::Undone);
        with.shutdown(GRACE).await.unwrap();
        without.shutdown(GRACE).await.unwrap();
    }

    /// What nobody has the key of any more can be ended and deleted.
    async fn a_lost_key_does_not_keep_anybody_from_deleting(db) {
        let first = engine(&db, b"a").await.start().await.unwrap();
        let run = first.start(sealed::input("seed".into())).id("x").await.unwrap();
        waiting(&run).await;
        first.shutdown(GRACE).await.unwrap();
        let second = engine(&db, b"b").await.start().await.unwrap();
        let run = second.get("x").await.unwrap();
        let error = run.recover().await.unwrap_err();
        assert!(!matches!(error, EngineError::Unknown { .. }), "{error}");
        run.force_stop().await.unwrap();
        second.shutdown(GRACE).await.unwrap();

        // All that was there is still there for one who has the key.
        let third = engine(&db, b"ba").await.start().await.unwrap();
        let run = third.get("x").await.unwrap();
        let tree = run.tree().await.unwrap();
        assert_eq!(tree.states[0].output.as_ref().unwrap().get(), r#""seed-made""#);
        run.force_delete().await.unwrap();
        assert_eq!(third.count(Filter::new()).await.unwrap(), 0);
        third.shutdown(GRACE).await.unwrap();
    }

    async fn plain_values_are_read_or_refused(db) {
        let plain = db.engine().await.serve(sealed::with()).start().await.unwrap();
        let run = plain.start(sealed::input("seed".into())).id("x").await.unwrap();
        waiting(&run).await;
        plain.shutdown(GRACE).await.unwrap();

        let strict = Encryption::new(keys(b"a")).refuse_plain();
        let strict = db.engine().await.codec(strict).start().await.unwrap();
        let error = strict.get("x").await.unwrap().tree().await.unwrap_err();
        assert_eq!(kind(&error), Some(ErrorKind::Corrupt), "{error}");
        assert!(error.to_string().contains("was saved without a codec"), "{error}");
        strict.shutdown(GRACE).await.unwrap();

        let sealing = engine(&db, b"a").await.start().await.unwrap();
        let run = sealing.execution::<sealed>("x").await.unwrap();
        run.signal(sealed::STEPS.sent, &"word".to_owned()).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), "seed-made and word");
        sealing.shutdown(GRACE).await.unwrap();
    }

    /// A line whose key is missing says so, and keeps no other from being read. So does a text that looks
    /// encoded.
    async fn a_log_is_read_as_far_as_the_keys_go(db) {
        let engine = engine(&db, b"a").await.start().await.unwrap();
        let run = engine.start(other::input("seed".into())).id("x").await.unwrap();
        run.outcome().await.unwrap();
        let key = run.info().await.unwrap().key;
        for (id, text) in [(b"a", "of a"), (b"b", "of b"), (b"a", "steps:1:k:AAAA")] {
            let codec = Arc::new(Encryption::new(keys(id)));
            let line = NewLine {
                key,
                left_out: 0,
                at: jiff::Timestamp::UNIX_EPOCH,
                level: LogLevel::Info,
                path: "made".to_owned(),
                attempt: 1,
                is_undo: false,
                message: text.to_owned(),
            };
            let store = CodecStore::new(db.store().await, codec);
            store.log(NewLines::new(vec![line])).await.unwrap();
        }
        let texts = |lines: Vec<LogLine>| lines.into_iter().map(|line| line.message).collect::<Vec<_>>();
        let read = texts(run.log().await.unwrap());
        assert_eq!((&*read[0], &*read[2]), ("of a", "steps:1:k:AAAA"));
        assert!(read[1].starts_with("(this line can't be read: ") && read[1].contains("key `b`"), "{}", read[1]);
        let plain = db.engine().await.start().await.unwrap();
        let raw = texts(plain.get("x").await.unwrap().log().await.unwrap());
        assert!(raw.iter().all(|text| text.starts_with("steps:1:k:")), "{raw:?}");
        plain.shutdown(GRACE).await.unwrap();
        engine.shutdown(GRACE).await.unwrap();
    }

    /// A text that looks like an encoded value is a text.
    async fn a_text_that_looks_encoded_comes_back(db) {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        for codec in [Encryption::new(keys(b"a")), Encryption::new(keys(b"a")).only([])] {
            let engine = db.engine().await.codec(codec).serve(other::with()).start().await.unwrap();
            for text in ["steps:1:k:AAAA", "steps:1:", "steps:1:p:x", "\"steps:1:i:AA"] {
                let id = format!("n{}", STARTED.fetch_add(1, Ordering::Relaxed));
                let run = engine.start(other::input(text.into())).id(id);
                let run = run.status_message(text).attrs(serde_json::json!({ "a": text }));
                let run = run.await.unwrap();
                assert_eq!(run.outcome().await.unwrap(), format!("{text}-made"));
                let info = run.info().await.unwrap();
                assert_eq!(info.status_message.as_deref(), Some(text));
                assert_eq!(info.attrs.get::<String>("a").unwrap().as_deref(), Some(text));
                assert_eq!(info.unreadable, None);
            }
            engine.shutdown(GRACE).await.unwrap();
        }
    }
}
