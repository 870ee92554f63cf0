//! Builds what rules pass to a store: new executions, nodes, claims and writes, with defaults for
//! what a rule does not depend on.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    base::json::Json,
    model::{
        state::{Kind, Labels, NodeData, NodeRow},
        status::Status,
    },
    store::{
        Claim, Due, ExecutionQuery, FlowClaim, Form, Lease, LeaseAfter, Message, NewDuty,
        NewExecution, Notes, Queue, Refuser, SendMessage, SetDuty, Target, Write,
    },
};

/// A lease that outlasts every test.
pub(super) const HOUR: Duration = Duration::from_hours(1);

/// A lease that ends within a test. No test depends on its lasting this long.
pub(super) const SHORT: Duration = Duration::from_millis(20);

/// The flow of an execution, by default.
pub(super) const FLOW: &str = "flow";

/// The fingerprint of the flow of a [`claim`]: one that does not fit in an `i64`.
pub(super) const FINGERPRINT: u64 = u64::MAX - 1;

/// A new execution, by default due now.
#[derive(Clone)]
pub(super) struct Creation {
    pub(super) new: NewExecution,
    nodes: Vec<NodeRow>,
    then: LeaseAfter,
}

impl Creation {
    pub(super) fn new(id: &str) -> Self {
        Self {
            new: NewExecution {
                id: id.to_owned(),
                flow: FLOW.to_owned(),
                input: text("input"),
                labels: Labels::new(),
                notes: Notes::default(),
                priority: 0,
                form: None,
                parent: None,
                singleton: None,
                trace: None,
                created_at: None,
                held: None,
            },
            nodes: Vec::new(),
            then: LeaseAfter::Release {
                due: Due::Now,
                last_message: 0,
            },
        }
    }

    pub(super) fn flow(mut self, flow: &str) -> Self {
        flow.clone_into(&mut self.new.flow);
        self
    }

    pub(super) fn input(mut self, input: Json) -> Self {
        self.new.input = input;
        self
    }

    pub(super) fn label(mut self, name: &str, value: &str) -> Self {
        self.new.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn priority(mut self, priority: i32) -> Self {
        self.new.priority = priority;
        self
    }

    pub(super) fn form(mut self, number: i64) -> Self {
        self.new.form = Some(number);
        self
    }

    pub(super) fn nodes(mut self, nodes: Vec<NodeRow>) -> Self {
        self.nodes = nodes;
        self
    }

    pub(super) fn due(mut self, due: Due) -> Self {
        self.then = LeaseAfter::Release {
            due,
            last_message: 0,
        };
        self
    }

    pub(super) fn then(mut self, then: LeaseAfter) -> Self {
        self.then = then;
        self
    }

    /// A worker holds it from the start.
    pub(super) fn held(mut self, worker: &str, lease: Duration) -> Self {
        self.new.held = Some((worker.to_owned(), lease));
        self.then = LeaseAfter::Keep;
        self
    }

    pub(super) fn write(self) -> Write {
        Write {
            nodes: self.nodes,
            ..Write::new(Target::New(Box::new(self.new)), self.then)
        }
    }
}

/// A write under a lease.
pub(super) fn write(lease: Lease, nodes: Vec<NodeRow>, then: LeaseAfter) -> Write {
    Write {
        nodes,
        ..Write::new(Target::Held(lease), then)
    }
}

/// A message, whatever the execution's status, in the place of those like it.
pub(super) fn send_message(id: &str, message: Message) -> SendMessage {
    SendMessage {
        id: id.to_owned(),
        message,
        if_status: Vec::new(),
        if_taken: None,
        queue: Queue::Replace,
    }
}

/// A claim of all that is due of [`FLOW`].
pub(super) fn claim(worker: &str) -> Claim {
    Claim {
        worker: worker.to_owned(),
        lease: HOUR,
        flows: vec![flow_claim(&[FLOW], FINGERPRINT)],
        limit: 1000,
        waited: Vec::new(),
        ageing: None,
    }
}

pub(super) fn flow_claim(names: &[&'static str], fingerprint: u64) -> FlowClaim {
    FlowClaim {
        names: names.iter().map(|name| (*name).into()).collect(),
        refuser: refuser(fingerprint),
        limit: 1000,
    }
}

/// A flow in some build of a program.
pub(super) const fn refuser(fingerprint: u64) -> Refuser {
    Refuser {
        fingerprint,
        build: 7,
    }
}

/// A change of a duty that is due at no time, from this revision to this value.
pub(super) fn set_duty(name: &str, revision: Option<i64>, to: Option<&str>) -> SetDuty {
    SetDuty {
        name: name.to_owned(),
        revision,
        to: to.map(|value| NewDuty {
            due: None,
            value: json(value),
        }),
        start: Vec::new(),
    }
}

/// A form of [`FLOW`].
pub(super) fn form_of(fingerprint: u64) -> Form {
    Form {
        flow: FLOW.to_owned(),
        fingerprint,
        lines: json(r#"[[["a","b"],["\u00fc"]]]"#),
    }
}

/// A query.
pub(super) fn query(set: impl FnOnce(&mut ExecutionQuery)) -> ExecutionQuery {
    let mut query = ExecutionQuery::default();
    set(&mut query);
    query
}

/// A JSON text.
pub(super) fn text(value: &str) -> Json {
    json(serde_json::Value::from(value).to_string())
}

/// Parses JSON that is known to be valid.
pub(super) fn json(value: impl Into<String>) -> Json {
    Json::parse(value).unwrap_or_else(|error| unreachable!("the suite's own JSON: {error}"))
}

/// A signal.
pub(super) fn signal(path: &str, value: &str) -> Message {
    Message::Signal {
        path: path.to_owned(),
        value: text(value),
    }
}

/// A step's node, done.
pub(super) fn step(id: u32, name: &str) -> NodeRow {
    let node = NodeData {
        name: name.to_owned().into(),
        kind: Kind::Step,
        status: Status::Done,
        started_at: Some(second(1)),
        done_at: Some(second(2)),
        attempts: 1,
        output: Some(text(name)),
        ..NodeData::default()
    };
    NodeRow::new(id, 0, node)
}

/// The root, in this status; ended, if that is a final one.
pub(super) fn root(status: Status) -> NodeRow {
    let node = NodeData {
        name: FLOW.into(),
        kind: Kind::Flow,
        status,
        started_at: Some(second(1)),
        done_at: status.is_final().then(|| second(3)),
        attempts: 1,
        ..NodeData::default()
    };
    NodeRow::new(0, 0, node)
}

/// A time at which nothing is special.
pub(super) fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + n).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether a lease of an hour that began at about this time ends then. Its end is measured by one clock and
/// told by another, which are not read at the same moment.
pub(super) fn is_in_an_hour(end: Timestamp, now: Timestamp) -> bool {
    let earliest = now + HOUR - Duration::from_secs(1);
    earliest <= end && end < now + 2 * HOUR
}
