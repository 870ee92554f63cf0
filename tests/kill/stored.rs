//! What is in the database when all processes are gone, read through a store of its own.

use std::{collections::BTreeMap, path::Path};

use steps::{
    sqlite::SqliteStore,
    state::path,
    store::{ExecutionQuery, NodeRow, Store},
};

/// One execution as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) status: String,
    pub(crate) output: Option<u64>,
    pub(crate) errors: Vec<String>,
    /// The nodes below the root, by their paths.
    pub(crate) nodes: BTreeMap<String, Node>,
}

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) status: String,
}

/// All executions, by their ids.
pub(crate) async fn read(database: &Path) -> BTreeMap<String, Stored> {
    let url = format!("sqlite:{}", database.display());
    let store = SqliteStore::open(&url).await.expect("the database opens");
    let infos = store.list(ExecutionQuery::default()).await.expect("a list");
    let mut all = BTreeMap::new();
    for info in infos {
        let loaded = store.load(info.id.clone()).await.expect("it can be read");
        let saved = loaded.expect("what is in the list is there");
        let root = saved.nodes.iter().find(|change| change.id == change.parent);
        let stored = Stored {
            status: info.status.to_string(),
            output: info.output.and_then(|output| output.get().parse().ok()),
            errors: root
                .map(|root| root.node.errors.clone())
                .unwrap_or_default(),
            nodes: nodes(&saved.nodes),
        };
        all.insert(info.id, stored);
    }
    store.close().await.expect("the database closes");
    all
}

fn nodes(changes: &[NodeRow]) -> BTreeMap<String, Node> {
    let by_id: BTreeMap<u32, &NodeRow> = changes.iter().map(|change| (change.id, change)).collect();
    let mut nodes = BTreeMap::new();
    for change in changes {
        let mut names = Vec::new();
        let mut at = change;
        while at.id != at.parent {
            names.push(&*at.node.name);
            at = by_id
                .get(&at.parent)
                .unwrap_or_else(|| panic!("node {} hangs below nothing", at.id));
        }
        if !names.is_empty() {
            let node = Node {
                status: change.node.status.to_string(),
            };
            nodes.insert(path::join(names.into_iter().rev()), node);
        }
    }
    nodes
}
