//! The largest numbers, and long lists.

use jiff::Timestamp;

use super::prelude::*;

pub(in super::super) async fn largest_numbers_are_kept(fixture: Fixture) -> Outcome {
    let most = usize::MAX;
    let long = Creation::new("long lease").nodes(vec![root(Status::Done)]);
    let lease = fixture.create(long.held("maker", Duration::MAX)).await?;
    fixture.due("due").await?;
    let mut all = claim("worker");
    all.lease = Duration::MAX;
    all.limit = most;
    all.flows[0].limit = most;
    let taken = fixture.claim_one_with(all, "due").await?;
    fixture
        .claim_nothing("both are held to the end of time")
        .await?;
    fixture.renew(lease, i64::MAX, Duration::MAX).await?;
    fixture
        .claim_nothing("the lease was renewed to the end of time")
        .await?;

    fixture.send("due", Message::Stop).await?;
    let last = step((1 << 24) - 1, "last");
    let end = LeaseAfter::Release {
        due: Due::At(Timestamp::MAX),
        last_message: i64::MAX,
    };
    fixture
        .write(write(taken.lease, vec![last.clone()], end))
        .await?;
    let saved = fixture.load("due").await?;
    same_nodes("the largest number", &saved.nodes, &[last])?;
    fixture
        .claim_nothing("it is due at the end of time")
        .await?;
    let taken = fixture.take("due", "worker", Duration::MAX).await?;
    let begin = LeaseAfter::Release {
        due: Due::At(Timestamp::MIN),
        last_message: i64::MAX,
    };
    fixture.write(write(taken.lease, Vec::new(), begin)).await?;
    fixture.claim_one("worker", "due").await?;

    fixture.rest(lease, Due::Never).await?;
    let wide = query(|query| {
        query.created = Some(Timestamp::MIN..Timestamp::MAX);
        query.limit = Some(most);
    });
    let found = fixture.list(wide.clone()).await?;
    let both = vec!["due".to_owned(), "long lease".to_owned()];
    same("a list of all times", &found, &both)?;
    same("their count", &fixture.store.count(wide).await?, &2)?;
    let ended = query(|query| {
        query.ended = Some(Timestamp::MIN..Timestamp::MAX);
        query.limit = Some(most);
    });
    same(
        "the count of what has ended",
        &fixture.store.count(ended.clone()).await?,
        &1,
    )?;
    same(
        "how many were deleted",
        &fixture.store.delete(ended).await?,
        &1,
    )
}

pub(in super::super) async fn long_lists_are_taken(fixture: Fixture) -> Outcome {
    const LONG: i64 = 40_000;
    let lease = fixture.held("id").await?;
    let stop = fixture.send("id", Message::Stop).await?;
    let unknown = |key: i64| Lease {
        key: key + (1 << 40),
        fence: 1,
    };
    let mut held: Vec<(Lease, i64)> = (0..LONG).map(|key| (unknown(key), 0)).collect();
    held[30_000].0 = lease;
    let renew = Renew::some(HOUR, held);
    let answers = fixture.store.renew(renew).await?;
    same("how many answers there are", &answers.len(), &40_000)?;
    let found = answers
        .into_iter()
        .enumerate()
        .filter_map(|(n, answer)| match answer {
            Renewal::Held(messages) => Some((n, messages)),
            Renewal::Lost => None,
        });
    let found: Vec<_> = found.collect();
    let expected = vec![(30_000, vec![(stop, Message::Stop)])];
    same("the renewals of leases that are good", &found, &expected)?;

    let mut some = write(lease, Vec::new(), LeaseAfter::Keep);
    some.taken = (1..LONG).filter(|number| *number != stop).collect();
    fixture.write(some).await?;
    let mut all = write(
        lease,
        Vec::new(),
        LeaseAfter::Release {
            due: Due::Now,
            last_message: stop,
        },
    );
    all.taken = (stop - LONG / 2..stop + LONG / 2).collect();
    fixture.write(all).await?;

    let names: Vec<_> = (0..3000).map(|n| format!("flow {n}")).collect();
    let mut many = claim("worker");
    let claim_of = |name: &String| {
        let mut flow = flow_claim(&[], FINGERPRINT);
        flow.names = vec![name.clone().into(), format!("{name}, once").into()];
        flow
    };
    many.flows.extend(names.iter().map(claim_of));
    fixture.store.forget_refusals(many.flows.clone()).await?;
    let taken = fixture.claim_one_with(many, "id").await?;
    same("its messages", &taken.messages, &Vec::new())?;

    let mut of_many = query(|query| query.flows = names);
    same(
        "those of many flows",
        &fixture.list(of_many.clone()).await?,
        &Vec::new(),
    )?;
    of_many.flows.push(FLOW.to_owned());
    same(
        "those of one more",
        &fixture.list(of_many).await?,
        &vec!["id".to_owned()],
    )
}
