//! Keys that one execution of a flow has until it has ended.

use futures_util::future::join_all;

use super::prelude::*;

fn keyed(id: &str, key: &str) -> Creation {
    let mut creation = Creation::new(id);
    creation.new.singleton = Some(key.to_owned());
    creation
}

/// Creates an execution, and expects that another one has its key.
async fn taken(fixture: &Fixture, creation: Creation, other: &str) -> Outcome {
    let id = creation.new.id.clone();
    match fixture.store.write(creation.write()).await? {
        Written::Taken { by, new } => {
            same("who has the key", &by, &other.to_owned())?;
            same("what is given back", &new.id, &id)?;
        }
        told => return Err(Fault::new("one whose key is taken", "Taken", told)),
    }
    let made = fixture.store.load(id).await?;
    same("one that was not made", &made.is_none(), &true)
}

async fn end(fixture: &Fixture, lease: Lease, status: Status) -> Outcome {
    fixture.keep(lease, vec![root(status)]).await?;
    fixture.rest(lease, Due::Never).await
}

pub(in super::super) async fn a_key_is_that_of_one(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let (key, other) = ("k'ü\u{1f980}", "K'ü\u{1f980}");
    fixture.create(keyed("a", key)).await?;
    taken(&rival, keyed("b", key), "a").await?;
    taken(&fixture, keyed("b", key).held("worker", HOUR), "a").await?;
    fixture.create(keyed("c", other)).await?;
    fixture.create(keyed("d", key).flow("other")).await?;
    fixture.due("e").await?;
    match rival.store.write(keyed("a", key).write()).await? {
        Written::Exists(existing) => {
            let told = existing.info.singleton;
            same("the key of the existing one", &told, &Some(key.to_owned()))?;
        }
        told => return Err(Fault::new("one of an id that is there", "Exists", told)),
    }
    let held = fixture.take("a", "worker", HOUR).await?;
    for status in [Status::Running, Status::Waiting, Status::Undoing] {
        fixture.keep(held.lease, vec![root(status)]).await?;
        taken(&rival, keyed("b", key), "a").await?;
    }
    end(&fixture, held.lease, Status::Undone).await?;
    // What has ended elsewhere needs no key.
    let done = keyed("f", key).nodes(vec![root(Status::Done)]);
    fixture.create(done.due(Due::Never)).await?;
    fixture.create(keyed("b", key)).await?;
    taken(&fixture, keyed("g", key), "b").await?;
    fixture
        .store
        .delete(query(|it| it.id = Some("a".to_owned())))
        .await?;
    taken(&fixture, keyed("a", key), "b").await?;
    let info = rival.load("b").await?.info;
    same("the key", &info.singleton, &Some(key.to_owned()))
}

pub(in super::super) async fn a_key_is_needed_to_go_on_again(fixture: Fixture) -> Outcome {
    for id in ["a", "b"] {
        fixture.create(keyed(id, "k")).await?;
        let held = fixture.take(id, "worker", HOUR).await?;
        end(&fixture, held.lease, Status::Failed).await?;
    }
    // It is free.
    let a = fixture.take("a", "operator", HOUR).await?.lease;
    fixture.keep(a, vec![root(Status::Pending)]).await?;
    taken(&fixture, keyed("c", "k"), "a").await?;
    let b = fixture.take("b", "operator", HOUR).await?.lease;
    for (status, then) in [
        (Status::Pending, LeaseAfter::Keep),
        (
            Status::Running,
            LeaseAfter::Release {
                due: Due::Now,
                last_message: 0,
            },
        ),
    ] {
        let again = write(b, vec![root(status), step(1, "again")], then);
        let told = fixture.store.write(again).await;
        fails("one whose key another one has", told, ErrorKind::Taken)?;
        let saved = fixture.load("b").await?;
        let now = (saved.info.status, saved.nodes.len());
        same("what was refused", &now, &(Status::Failed, 1))?;
    }
    fixture.keep(b, vec![root(Status::Failed)]).await?;
    fixture.keep(b, vec![root(Status::Undoing)]).await?;
    let info = fixture.load("b").await?.info;
    same("what is undone", &info.status, &Status::Undoing)?;
    same("its key", &info.singleton, &None)?;
    end(&fixture, a, Status::Done).await?;
    fixture.create(keyed("c", "k")).await.map(drop)
}

pub(in super::super) async fn keys_at_once(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    for round in 0..5 {
        let key = round.to_string();
        let starts = (0..8).map(|n| {
            let fixture = if n % 2 == 0 { &fixture } else { &rival };
            let write = keyed(&format!("{round}-{n}"), &key).write();
            let fixture = fixture.clone();
            tokio::spawn(async move {
                let call = |store: Arc<dyn Store>| {
                    let write = write.clone();
                    async move { store.write(write).await }
                };
                fixture.patiently(call).await
            })
        });
        let mut made = 0;
        for told in join_all(starts).await {
            made += usize::from(matches!(joined(told)??, Written::Created(_)));
        }
        same("how many were made", &made, &1)?;
    }
    Ok(())
}
