//! What can't be read: damaged pages, and rows from the future.
#![cfg(unix)]

mod common;

use std::{fs, os::unix::fs::FileExt};

use common::*;
use steps_core::{
    state::Kind,
    store::{Due, ErrorKind, ExecutionQuery, LeaseAfter, NodeRow, Share, Store},
};

/// Pages between are overwritten: reading them is a `Corrupt` error, and what is on other
/// pages still works.
#[tokio::test]
async fn a_damaged_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for n in 0..200 {
        let lease = created(store.write(held(&n.to_string())).await.unwrap());
        let mut write = step(lease, 1, "a step", rest(Due::Now));
        write.nodes = (1..=20)
            .flat_map(|n| step(lease, n, "a step", LeaseAfter::Keep).nodes)
            .collect();
        store.write(write).await.unwrap();
    }
    store.close().await.unwrap();
    let copy = fs::read(path(&folder)).unwrap();
    // Those that hold nodes, and no index.
    let pages = (0..).zip(copy.chunks(4096));
    let of_nodes = pages.filter(|(_, page)| {
        page[0] == 13 && page.windows(6).filter(|text| text == b"a step").count() > 10
    });
    let of_nodes: Vec<u64> = of_nodes.map(|(page, _)| page).collect();
    let middle = of_nodes.len() / 2;
    let file = fs::OpenOptions::new()
        .write(true)
        .open(path(&folder))
        .unwrap();
    for page in &of_nodes[middle..middle + 5] {
        file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
    }
    drop(file);

    let store = open(&folder).await;
    let report = store.check().await.unwrap();
    assert!(!report.is_sound());
    let (mut sound, mut damaged) = (0, 0);
    for n in 0..200 {
        match store.load(n.to_string()).await {
            Ok(saved) => {
                let saved = saved.unwrap();
                assert!(saved.nodes.len() <= 20);
                sound += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("restore a copy"), "{error}");
                damaged += 1;
            }
        }
    }
    assert!(
        sound > 100 && damaged > 0,
        "{sound} sound, {damaged} damaged"
    );
    store.write(held("new")).await.unwrap();
    store.close().await.unwrap();

    fs::write(path(&folder), copy).unwrap();
    let store = open(&folder).await;
    for n in 0..200 {
        let saved = store.load(n.to_string()).await.unwrap().unwrap();
        assert_eq!(saved.nodes.len(), 20);
    }
}

/// A row that this version can't read doesn't keep other executions from being claimed, and it can
/// still be looked at itself.
#[tokio::test]
async fn a_row_from_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for id in ["a", "b", "c"] {
        let lease = created(store.write(held(id)).await.unwrap());
        store
            .write(step(lease, 1, "x", rest(Due::Now)))
            .await
            .unwrap();
    }
    raw(
        &folder,
        "UPDATE nodes SET kind = 'quantum' WHERE execution = 2",
    );
    let error = store.load("b".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    for word in ["\"b\"", "quantum", "newer version"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    let claimed = store.claim(claim()).await.unwrap();
    let taken: Vec<_> = claimed.taken.iter().map(|taken| &*taken.info.id).collect();
    assert_eq!(taken, ["a", "c"]);
    assert_eq!(claimed.next_due, None, "it is not tried again at once");
    let mut query = ExecutionQuery::default();
    query.refused = Some(true);
    let found = store.list(query).await.unwrap();
    let why = found[0].refused.as_ref().map(|refused| &*refused.why);
    assert!(why.is_some_and(|why| why.contains("quantum")), "{why:?}");
}

/// The same in a tree that is too large for a share, and is read after the claim.
#[tokio::test]
async fn a_row_from_the_future_in_a_large_tree() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for id in ["a", "b", "c"] {
        let lease = created(store.write(held(id)).await.unwrap());
        let mut write = step(lease, 1, "x", rest(Due::Now));
        write.nodes = (1..=u32::try_from(Share::ROWS).unwrap() + 1)
            .flat_map(|n| step(lease, n, "x", LeaseAfter::Keep).nodes)
            .collect();
        store.write(write).await.unwrap();
    }
    raw(
        &folder,
        "UPDATE nodes SET kind = 'quantum' WHERE id = (SELECT max(id) FROM nodes WHERE id >> 24 = 2)",
    );
    let mut came = Vec::new();
    for n in 0..3 {
        let claimed = store.claim(claim()).await.unwrap();
        assert_eq!(claimed.left, n < 2);
        for taken in claimed.taken {
            assert_eq!(taken.nodes.len(), Share::ROWS + 1);
            let lease = taken.lease;
            came.push(taken.info.id);
            // It can be written to.
            store
                .write(step(lease, 1, "y", LeaseAfter::Keep))
                .await
                .unwrap();
        }
    }
    assert_eq!(came, ["a", "c"]);
    let claimed = store.claim(claim()).await.unwrap();
    assert!(claimed.taken.is_empty() && !claimed.left);
    let mut query = ExecutionQuery::default();
    query.refused = Some(true);
    let found = store.list(query).await.unwrap();
    let why = found[0].refused.as_ref().map(|refused| &*refused.why);
    assert!(why.is_some_and(|why| why.contains("quantum")), "{why:?}");
    assert_eq!((&*found[0].id, &found[0].worker), ("b", &None));
}

/// A check on demand names what can't be read, what is not whole, and what belongs to nothing.
#[tokio::test]
async fn a_check_finds_each_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    // More than are read at once.
    for n in 0..120 {
        let lease = created(store.write(held(&n.to_string())).await.unwrap());
        let mut write = step(lease, 1, "a step", rest(Due::Now));
        let mut root = node("flow");
        root.kind = Kind::Flow;
        write.nodes.push(NodeRow::new(0, 0, root));
        store.write(write).await.unwrap();
    }
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.executions, 120);

    let of = |id: usize| format!("(SELECT key FROM executions WHERE id = '{id}')");
    raw(
        &folder,
        &format!(
            "UPDATE executions SET output = 'no JSON' WHERE id = '3';
             UPDATE nodes SET kind = 'of another time' WHERE id >> 24 = {};
             UPDATE nodes SET parent = 9 WHERE id >> 24 = {};
             INSERT INTO labels VALUES (777, 'a', 'b', 1);",
            of(110),
            of(111)
        ),
    );
    let report = store.check().await.unwrap();
    assert_eq!((report.executions, report.more), (120, 0));
    let found = report.damages.iter();
    let found: Vec<_> = found
        .map(|it| (it.execution.as_deref(), it.why.as_str()))
        .collect();
    let [orphan, output, kind, parent] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(orphan, (None, "1 rows of `labels` belong to no execution"));
    assert!(
        output.0 == Some("3") && output.1.contains("column `output`"),
        "{output:?}"
    );
    assert!(
        kind.0 == Some("110") && kind.1.contains("of another time"),
        "{kind:?}"
    );
    assert!(
        parent.0 == Some("111") && parent.1.contains('9'),
        "{parent:?}"
    );
}
