//! The forms of flows, and by which of them an execution was begun or gone on with.

use super::prelude::*;

pub(in super::super) async fn a_form_keeps_its_number(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let first = fixture.store.keep_form(form_of(FINGERPRINT)).await?;
    let second = rival.store.keep_form(form_of(1)).await?;
    holds(
        "the number of a form",
        "larger than the first",
        second,
        second > first,
    )?;
    let mut renamed = form_of(FINGERPRINT);
    "other".clone_into(&mut renamed.flow);
    for fixture in [&fixture, &rival] {
        let again = fixture.store.keep_form(renamed.clone()).await?;
        same("the number of a form that is there", &again, &first)?;
        for (number, fingerprint) in [(first, FINGERPRINT), (second, 1)] {
            let kept = fixture.store.form(number).await?;
            same("a form", &kept, &Some(form_of(fingerprint)))?;
        }
        let none = fixture.store.form(second + 1).await?;
        same("a form that is not there", &none, &None)?;
    }
    Ok(())
}

pub(in super::super) async fn an_execution_has_its_newest_form(fixture: Fixture) -> Outcome {
    let [first, second, third] = {
        let keep = |fingerprint| fixture.store.keep_form(form_of(fingerprint));
        [keep(1).await?, keep(2).await?, keep(3).await?]
    };
    fixture
        .create(Creation::new("none").due(Due::Never))
        .await?;
    let none = fixture.load("none").await?.info.form;
    same("the form of an execution that has none", &none, &None)?;
    let made = Creation::new("id").form(second).held("maker", HOUR);
    let lease = fixture.create(made).await?;
    for (what, form, expected) in [
        ("a write without a form", None, second),
        ("a write of an older form", Some(first), second),
        ("a write of a newer form", Some(third), third),
        ("one more of an older form", Some(second), third),
    ] {
        let mut write = write(lease, vec![step(1, "a")], LeaseAfter::Keep);
        write.form = form;
        fixture.write(write).await?;
        let found = fixture.load("id").await?.info.form;
        same(&format!("the form after {what}"), &found, &Some(expected))?;
    }
    fixture.rest(lease, Due::Now).await?;
    let listed = fixture
        .store
        .list(query(|query| query.id = Some("id".to_owned())));
    let listed = listed.await?.pop().and_then(|info| info.form);
    same("the form in a list", &listed, &Some(third))?;
    let taken = fixture.claim_one("worker", "id").await?;
    same("the form in a claim", &taken.info.form, &Some(third))?;
    let kept = fixture.load("id").await?.info.form;
    same("the form after it was taken", &kept, &Some(third))
}
