//! Executions that come from another store: what is kept of one is read at once, and made at once.

use super::prelude::*;
use crate::store::Queue;

/// A signal, with a value of its own.
fn signal(id: &str, value: u8) -> SendMessage {
    SendMessage {
        queue: Queue::Behind(usize::MAX),
        ..send_message(
            id,
            Message::Signal {
                path: "a".to_owned(),
                value: text(&value.to_string()),
            },
        )
    }
}

pub(in super::super) async fn load_gives_the_inbox(fixture: Fixture) -> Outcome {
    fixture.due("other").await?;
    fixture.due("id").await?;
    let none = fixture.load("id").await?.messages;
    same("the inbox of a new execution", &none, &Vec::new())?;
    for message in [
        signal("id", 1),
        send_message("id", Message::Stop),
        signal("id", 2),
    ] {
        fixture.store.send(message).await?;
    }
    let before = fixture.load("id").await?.messages;
    let held = fixture.take("id", "worker", HOUR).await?;
    same(
        "the inbox of a load before a claim",
        &before,
        &held.messages,
    )?;
    let loaded = fixture.load("id").await?.messages;
    same("the inbox of a load", &loaded, &held.messages)?;
    let open = fixture.store.load_open("id".to_owned()).await?;
    let open = open.map(|saved| saved.messages).unwrap_or_default();
    same("the inbox without what is past", &open, &held.messages)?;
    same(
        "the inbox of another",
        &fixture.load("other").await?.messages,
        &Vec::new(),
    )
}

pub(in super::super) async fn made_elsewhere_keeps_its_time(fixture: Fixture) -> Outcome {
    fixture.due("here").await?;
    let then = jiff::Timestamp::new(1_500_000_000, 123_000).unwrap_or_default();
    let mut old = Creation::new("old");
    old.new.created_at = Some(then);
    old.new.labels.insert("zone".to_owned(), "eu".to_owned());
    fixture.create(old).await?;
    fixture.due("last").await?;
    same(
        "when it was created",
        &fixture.load("old").await?.info.created_at,
        &then,
    )?;
    let found = fixture.store.list(ExecutionQuery::default()).await?;
    let ids: Vec<_> = found.iter().map(|info| &*info.id).collect();
    same(
        "a list, the newest first",
        &ids,
        &vec!["last", "here", "old"],
    )?;
    let range = query(|query| {
        query.created = Some(then..then + jiff::SignedDuration::from_secs(1));
        query.labels.insert("zone".to_owned(), "eu".to_owned());
    });
    same(
        "how many were created then",
        &fixture.store.count(range).await?,
        &1,
    )
}

pub(in super::super) async fn what_is_made_may_have_messages(fixture: Fixture) -> Outcome {
    let mut made = Creation::new("id")
        .nodes(vec![root(Status::Waiting)])
        .due(Due::Never)
        .write();
    made.tells = vec![signal("id", 1), signal("id", 2)];
    fixture.store.write(made.clone()).await?;
    let values = |messages: Vec<(i64, Message)>| {
        let messages = messages.into_iter().map(|(_, message)| message);
        messages.collect::<Vec<_>>()
    };
    let told = [signal("id", 1), signal("id", 2)]
        .map(|sent| sent.message)
        .to_vec();
    same(
        "its inbox",
        &values(fixture.load("id").await?.messages),
        &told,
    )?;
    fixture.store.write(made).await?;
    let again = values(fixture.load("id").await?.messages);
    same("its inbox after it could not be made again", &again, &told)?;
    fixture.claim_one("worker", "id").await.map(drop)
}
