//! Messages.

use super::prelude::*;

/// The messages in the inbox of an execution that nobody holds; it is due now after that.
async fn inbox(fixture: &Fixture, id: &str) -> Outcome<Vec<(i64, Message)>> {
    let taken = fixture.take(id, "reader", HOUR).await?;
    fixture.rest(taken.lease, Due::Never).await?;
    Ok(taken.messages)
}

async fn told(fixture: &Fixture, if_status: &[Status]) -> Outcome<MessageReceipt> {
    let message = SendMessage {
        if_status: if_status.to_vec(),
        ..send_message("id", Message::Undo)
    };
    Ok(fixture.store.send(message).await?)
}

pub(in super::super) async fn tell_only_in_a_status(fixture: Fixture) -> Outcome {
    let came = told(&fixture, &[]).await?;
    same(
        "a message to what is not there",
        &came,
        &MessageReceipt::Unknown,
    )?;
    let came = told(&fixture, &[Status::Pending]).await?;
    same("the same, in a status", &came, &MessageReceipt::Unknown)?;

    let creation = Creation::new("id").nodes(vec![root(Status::Done)]);
    fixture.create(creation.due(Due::Never)).await?;
    let came = told(&fixture, &[Status::Pending, Status::Running]).await?;
    same(
        "a message to one that is done",
        &came,
        &MessageReceipt::WrongStatus(Status::Done),
    )?;
    let due = fixture.load("id").await?.info.due;
    same("when it is due after that", &due, &None)?;
    same(
        "its inbox after that",
        &inbox(&fixture, "id").await?,
        &Vec::new(),
    )?;

    let came = told(&fixture, &[Status::Running, Status::Done]).await?;
    let kept = matches!(came, MessageReceipt::Stored(number) if number > 0);
    holds(
        "a message in its status",
        "Kept, with a number from 1",
        &came,
        kept,
    )?;
    let came = told(&fixture, &[]).await?;
    let kept = matches!(came, MessageReceipt::Stored(_));
    holds("a message in any status", "Kept", &came, kept)
}

pub(in super::super) async fn tell_wakes_what_rests(fixture: Fixture) -> Outcome {
    let later = fixture.later(HOUR).await?;
    for (id, due) in [("never", Due::Never), ("later", Due::At(later))] {
        fixture.create(Creation::new(id).due(due)).await?;
        fixture.claim_nothing("it rests").await?;
        let number = fixture.send(id, signal("wait", "x")).await?;
        let taken = fixture.claim_one("worker", id).await?;
        let expected = vec![(number, signal("wait", "x"))];
        same("the messages of what was woken", &taken.messages, &expected)?;
        same("from whom it was taken", &taken.previous_worker, &None)?;
    }
    // One whose lease has ended is due, and still taken from that worker.
    let lease = fixture
        .create(Creation::new("ended").held("slow", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    fixture.send("ended", Message::Undo).await?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    let taken = fixture.claim_one("worker", "ended").await?;
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("slow"),
    )?;
    // What was due before stays in front.
    let due = later - 2 * HOUR;
    fixture
        .create(Creation::new("due").due(Due::At(due)))
        .await?;
    fixture.send("due", Message::Stop).await?;
    let taken = fixture.claim_one("worker", "due").await?;
    same("its messages", &taken.messages.len(), &1)
}

pub(in super::super) async fn tell_leaves_a_lease_alone(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let before = fixture.load("id").await?.info;
    fixture.send("id", Message::Stop).await?;
    let after = fixture.load("id").await?.info;
    same("what is known after a message", &after, &before)?;
    fixture.claim_nothing("somebody holds it").await?;
    fixture.keep(lease, vec![step(1, "a")]).await
}

pub(in super::super) async fn tell_numbers_grow(fixture: Fixture) -> Outcome {
    fixture.create(Creation::new("id").due(Due::Never)).await?;
    fixture
        .create(Creation::new("other").due(Due::Never))
        .await?;
    let mut last = 0;
    for round in 0..4 {
        for message in [signal("a", "1"), signal("a", "2"), Message::Stop] {
            let number = fixture.send("id", message.clone()).await?;
            fixture.send("other", message).await?;
            let expected = format!("more than {last}");
            let what = format!("the number of a message, in round {round}");
            holds(&what, &expected, number, number > last)?;
            last = number;
        }
        // They grow when there is none any more, too.
        let taken = fixture.take("id", "worker", HOUR).await?;
        let mut write = write(taken.lease, Vec::new(), LeaseAfter::Keep);
        write.taken = taken.messages.iter().map(|(number, _)| *number).collect();
        fixture.write(write).await?;
        fixture.rest(taken.lease, Due::Never).await?;
    }
    Ok(())
}

pub(in super::super) async fn tell_replaces(fixture: Fixture) -> Outcome {
    fixture.create(Creation::new("id").due(Due::Never)).await?;
    fixture
        .create(Creation::new("other").due(Due::Never))
        .await?;
    let tell = async |message: Message| {
        let number = fixture.send("id", message.clone()).await?;
        Outcome::Ok((number, message))
    };
    tell(signal("a", "old")).await?;
    let b = tell(signal("b", "1")).await?;
    tell(Message::Stop).await?;
    let undo = tell(Message::Undo).await?;
    let a = tell(signal("a", "new")).await?;
    let upper = tell(signal("A", "1")).await?;
    let stop = tell(Message::Stop).await?;
    fixture.send("other", signal("b", "other")).await?;
    let expected = vec![b, undo, a, upper, stop];
    same("the inbox", &inbox(&fixture, "id").await?, &expected)?;
    let other = inbox(&fixture, "other").await?;
    same("how many another has", &other.len(), &1)
}

pub(in super::super) async fn tell_queues(fixture: Fixture) -> Outcome {
    fixture.create(Creation::new("id").due(Due::Never)).await?;
    fixture
        .create(Creation::new("other").due(Due::Never))
        .await?;
    let mut expected = Vec::new();
    // Those of another path, kind or execution do not count.
    fixture.send("other", signal("vote", "other")).await?;
    for message in [Message::Stop, signal("votes", "x"), signal("Vote", "x")] {
        expected.push((fixture.send("id", message.clone()).await?, message));
    }
    for vote in ["ann", "bob", "cy"] {
        let message = signal("vote", vote);
        match fixture.queue("id", message.clone(), 3).await? {
            MessageReceipt::Stored(number) => expected.push((number, message)),
            other => return Err(Fault::new("a message that queues", "Stored", other)),
        }
    }
    for most in [0, 2, 3] {
        let told = fixture.queue("id", signal("vote", "dan"), most).await?;
        let what = format!("one more, of {most} at most");
        same(&what, &told, &MessageReceipt::Full)?;
    }
    same("the inbox", &inbox(&fixture, "id").await?, &expected)?;
    // One that is taken makes room for another.
    let taken = fixture.take("id", "worker", HOUR).await?;
    let mut write = write(taken.lease, Vec::new(), LeaseAfter::Keep);
    write.taken = vec![expected.remove(3).0];
    fixture.write(write).await?;
    fixture.rest(taken.lease, Due::Never).await?;
    let dan = signal("vote", "dan");
    match fixture.queue("id", dan.clone(), 3).await? {
        MessageReceipt::Stored(number) => expected.push((number, dan)),
        other => return Err(Fault::new("a message in the new room", "Stored", other)),
    }
    same("the inbox", &inbox(&fixture, "id").await?, &expected)?;
    // One that replaces takes the place of all.
    let eve = signal("vote", "eve");
    let number = fixture.send("id", eve.clone()).await?;
    expected
        .retain(|(_, message)| !matches!(message, Message::Signal { path, .. } if path == "vote"));
    expected.push((number, eve));
    same("the inbox", &inbox(&fixture, "id").await?, &expected)
}

pub(in super::super) async fn tell_only_if_nothing_was_taken(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    fixture.held("other").await?;
    let told = async |taken: u64, word: &str| {
        let message = SendMessage {
            if_taken: Some(taken),
            ..send_message("id", signal(word, word))
        };
        Outcome::Ok(fixture.store.send(message).await?)
    };
    let stored = |what: &str, told: MessageReceipt| match told {
        MessageReceipt::Stored(number) => Ok(number),
        other => Err(Fault::new(what, "Stored", other)),
    };
    let a = stored("a message before any was taken", told(0, "a").await?)?;
    let b = stored("another one", told(0, "b").await?)?;
    fixture.send("other", signal("a", "a")).await?;
    let mut some = write(lease, Vec::new(), LeaseAfter::Keep);
    // Only those that are there count, each once.
    some.taken = vec![a, b, b + 100];
    fixture.write(some.clone()).await?;
    fixture.write(some).await?;
    let info = fixture.load("id").await?.info;
    same("how many were taken", &info.messages_taken, &2)?;
    let info = fixture.load("other").await?.info;
    same("how many of another execution", &info.messages_taken, &0)?;
    for (taken, word) in [(0, "c"), (1, "d"), (3, "e")] {
        let told = told(taken, word).await?;
        let what = format!("a message if {taken} were taken");
        same(&what, &told, &MessageReceipt::Changed)?;
    }
    let f = stored("a message if 2 were taken", told(2, "f").await?)?;
    let left = vec![(f, signal("f", "f"))];
    match fixture.renew(lease, 0, HOUR).await? {
        Renewal::Held(messages) => same("the inbox", &messages, &left),
        Renewal::Lost => Err(Fault::new("a renewal", "Acquired", Renewal::Lost)),
    }
}

pub(in super::super) async fn replaced_signal_is_not_taken(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let old = fixture.send("id", signal("a", "old")).await?;
    let other = fixture.send("id", signal("b", "b")).await?;
    let new = fixture.send("id", signal("a", "new")).await?;
    let takes = |signals: Vec<i64>| {
        let mut write = write(lease, vec![step(1, "a")], LeaseAfter::Keep);
        write.signals = signals;
        write
    };
    for signals in [vec![old], vec![other, old], vec![new + 100]] {
        let told = fixture.store.write(takes(signals)).await;
        fails(
            "a write that takes a signal that is gone",
            told,
            ErrorKind::Withdrawn,
        )?;
    }
    let kept = fixture.load("id").await?;
    same("how many nodes there are after that", &kept.nodes.len(), &0)?;
    same(
        "how many messages were taken",
        &kept.info.messages_taken,
        &0,
    )?;
    fixture.write(takes(vec![new, other])).await?;
    let kept = fixture.load("id").await?;
    same("how many nodes there are in the end", &kept.nodes.len(), &1)?;
    same(
        "how many messages were taken",
        &kept.info.messages_taken,
        &2,
    )?;
    match fixture.renew(lease, 0, HOUR).await? {
        Renewal::Held(messages) => same("the inbox", &messages, &Vec::new()),
        Renewal::Lost => Err(Fault::new("a renewal", "Acquired", Renewal::Lost)),
    }
}

pub(in super::super) async fn taken_messages_are_deleted(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let mut numbers = Vec::new();
    for path in ["a", "b", "c", "d"] {
        numbers.push(fixture.send("id", signal(path, path)).await?);
    }
    fixture
        .create(Creation::new("other").due(Due::Never))
        .await?;
    let others = fixture.send("other", signal("a", "a")).await?;
    let mut some = write(lease, Vec::new(), LeaseAfter::Keep);
    some.taken = vec![numbers[2], numbers[0], numbers[3] + 100, others];
    fixture.write(some).await?;
    let left = vec![(others, signal("a", "a"))];
    let what = "what is left of another execution";
    same(what, &inbox(&fixture, "other").await?, &left)?;
    // Being given to a worker is not being taken.
    same(what, &inbox(&fixture, "other").await?, &left)?;
    let left = vec![
        (numbers[1], signal("b", "b")),
        (numbers[3], signal("d", "d")),
    ];
    match fixture.renew(lease, 0, HOUR).await? {
        Renewal::Held(messages) => same("what is left, by a renewal", &messages, &left)?,
        Renewal::Lost => return Err(Fault::new("a renewal", "Acquired", Renewal::Lost)),
    }
    // Of the same number as one that was replaced meanwhile: the new one stays.
    let newer = fixture.send("id", signal("d", "newer")).await?;
    let then = LeaseAfter::Release {
        due: Due::Never,
        last_message: newer,
    };
    let mut last = write(lease, Vec::new(), then);
    last.taken = vec![numbers[1], numbers[3]];
    fixture.write(last).await?;
    let left = vec![(newer, signal("d", "newer"))];
    same(
        "what is left in the end",
        &inbox(&fixture, "id").await?,
        &left,
    )
}

pub(in super::super) async fn rest_is_over_if_a_message_came(fixture: Fixture) -> Outcome {
    let later = fixture.later(HOUR).await?;
    for due in [Due::Never, Due::At(later)] {
        let id = format!("{due:?}");
        let lease = fixture.held(&id).await?;
        let first = fixture.send(&id, signal("a", "1")).await?;
        let second = fixture.send(&id, signal("b", "2")).await?;
        let rest = |lease: Lease, seen: i64, taken: Vec<i64>| {
            let mut write = write(
                lease,
                Vec::new(),
                LeaseAfter::Release {
                    due,
                    last_message: seen,
                },
            );
            write.taken = taken;
            write
        };
        fixture.recalled(rest(lease, first, Vec::new())).await?;
        let taken = fixture.claim_one("worker", &id).await?;
        same("how many messages there are", &taken.messages.len(), &2)?;
        same("from whom it was taken", &taken.previous_worker, &None)?;

        fixture.write(rest(taken.lease, second, Vec::new())).await?;
        fixture.claim_nothing("all messages were seen").await?;
        let taken = fixture.take(&id, "worker", HOUR).await?;
        fixture
            .write(rest(taken.lease, first, vec![second]))
            .await?;
        fixture.claim_nothing("the newer message was taken").await?;
        let info = fixture.load(&id).await?.info;
        let expected = match due {
            Due::At(time) => Some(time),
            Due::Now | Due::Never => None,
        };
        same("when it is due", &info.due, &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn messages_come_back(fixture: Fixture) -> Outcome {
    use crate::testing::store::generate::{JSONS, TEXTS};
    fixture.create(Creation::new("id").due(Due::Never)).await?;
    let mut expected = Vec::new();
    for (n, path) in TEXTS.iter().enumerate() {
        let message = Message::Signal {
            path: (*path).to_owned(),
            value: json(JSONS[n % JSONS.len()]),
        };
        expected.push((fixture.send("id", message.clone()).await?, message));
        let message = Message::Report {
            task: (*path).to_owned(),
            report: json(JSONS[n % JSONS.len()]),
        };
        expected.push((fixture.send("id", message.clone()).await?, message));
        let child = (*path).to_owned();
        let message = Message::ChildEnded { child };
        expected.push((fixture.send("id", message.clone()).await?, message));
    }
    same("the inbox", &inbox(&fixture, "id").await?, &expected)
}
