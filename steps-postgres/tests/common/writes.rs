//! Executions and writes for the tests of a store.

use std::{borrow::Cow, time::Duration};

use steps_core::{
    Json, State, Status,
    state::Labels,
    store::{
        Claim, Due, FlowClaim, Lease, LeaseAfter, NewExecution, NodeRow, Notes, Refuser, Target,
        Write, Written,
    },
};

fn new(id: &str, then: LeaseAfter, held: Option<&str>) -> Write {
    Write::new(
        Target::New(Box::new(NewExecution {
            id: id.to_owned(),
            flow: "flow".to_owned(),
            input: Json::parse("{}").unwrap(),
            labels: Labels::new(),
            notes: Notes::default(),
            priority: 0,
            form: None,
            parent: None,
            singleton: None,
            trace: None,
            created_at: None,
            held: held.map(|worker| (worker.to_owned(), Duration::from_mins(1))),
        })),
        then,
    )
}

/// A new execution that a worker holds.
pub fn held(id: &str) -> Write {
    new(id, LeaseAfter::Keep, Some("worker"))
}

/// A new execution that is due.
pub fn due(id: &str) -> Write {
    let then = LeaseAfter::Release {
        due: Due::Now,
        last_message: 0,
    };
    new(id, then, None)
}

pub fn created(written: Written) -> Lease {
    match written {
        Written::Created(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// The write of one node.
pub fn step(lease: Lease, id: u32, name: &str) -> Write {
    let mut node = State::default();
    node.name = Cow::Owned(name.to_owned());
    node.status = Status::Done;
    node.attempts = 1;
    node.output = Some(Json::parse("5").unwrap());
    Write {
        nodes: vec![NodeRow::new(id, 0, node)],
        ..Write::new(Target::Held(lease), LeaseAfter::Keep)
    }
}

/// A claim of ten of them.
pub fn claim() -> Claim {
    Claim {
        worker: "worker".to_owned(),
        lease: Duration::from_mins(1),
        flows: vec![FlowClaim {
            names: vec!["flow".into()],
            refuser: Refuser {
                fingerprint: 1,
                build: 1,
            },
            limit: 10,
        }],
        limit: 10,
        waited: Vec::new(),
        ageing: None,
    }
}
