//! The values of a label.

use super::prelude::*;
use crate::store::LabelQuery;

pub(in super::super) async fn label_values_are_listed(fixture: Fixture) -> Outcome {
    let values = ["é", "b", "a", "b", "", "a", "c", "b"];
    for (n, value) in values.into_iter().enumerate() {
        let id = n.to_string();
        let creation = Creation::new(&id).label("of", value).label("other", "z");
        fixture.create(creation).await?;
    }
    fixture
        .create(Creation::new("none").label("other", "b"))
        .await?;
    fixture
        .create(Creation::new("more").label("off", "b"))
        .await?;
    let of = |at_least, after: Option<&str>, limit| LabelQuery {
        name: "of".to_owned(),
        at_least,
        after: after.map(str::to_owned),
        limit,
    };
    let all: [(LabelQuery, &[&str]); 11] = [
        (LabelQuery::of("of"), &["", "a", "b", "c", "é"]),
        (of(0, None, None), &["", "a", "b", "c", "é"]),
        (of(2, None, None), &["a", "b"]),
        (of(3, None, None), &["b"]),
        (of(4, None, None), &[]),
        (of(1, Some(""), None), &["a", "b", "c", "é"]),
        (of(1, None, Some(2)), &["", "a"]),
        (of(1, Some("a"), Some(2)), &["b", "c"]),
        (of(2, Some("aa"), Some(2)), &["b"]),
        (of(1, Some("é"), Some(2)), &[]),
        (LabelQuery::of("o"), &[]),
    ];
    for (query, expected) in all {
        let what = format!("the values by {query:?}");
        let found = fixture.store.label_values(query).await?;
        same(
            &what,
            &found,
            &expected.iter().map(|&value| value.to_owned()).collect(),
        )?;
    }
    Ok(())
}
