//! Reading the fields of one node, and the rules that involve several of them.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};

use super::{
    State, old_form,
    value::{Named, time},
    write::{Joined, told_attempts},
};
use crate::{base::json::Json, model::status::Status};

macro_rules! keys {
    ($($key:ident $name:literal,)*) => {
        /// The name of a field.
        #[derive(Debug, PartialEq, Eq)]
        pub(super) enum Key {
            $($key,)*
            /// An unknown field.
            Other(String),
        }

        impl Key {
            /// Returns the name as text.
            pub(super) fn as_str(&self) -> &str {
                match self {
                    $(Self::$key => $name,)*
                    Self::Other(name) => name,
                }
            }

            fn new(name: &str) -> Self {
                match name {
                    $($name => Self::$key,)*
                    _ => Self::Other(name.to_owned()),
                }
            }

            /// Returns a separate bit for each known field, and none for the others.
            const fn bit(&self) -> u64 {
                enum Index { $($key,)* }
                match self {
                    $(Self::$key => 1 << Index::$key as u64,)*
                    Self::Other(_) => 0,
                }
            }
        }
    };
}

keys! {
    Name "name",
    Info "info",
    Err "err",
    Errs "errs",
    ErrsLeftOut "errsLeftOut",
    StartedAt "startedAt",
    DoneAt "doneAt",
    Status "status",
    Kind "kind",
    StepKind "stepKind",
    Input "input",
    Decision "decision",
    Output "output",
    Attempts "attempts",
    Before "before",
    After "after",
    Progress "progress",
    Undo "undo",
    Until "until",
    Since "since",
    Deadline "deadline",
    Parallel "parallel",
    Cause "cause",
    VerifyOwed "verifyOwed",
    Failures "failures",
    Deaths "deaths",
    WaitedNanos "waitedNanos",
    Generation "generation",
    BegunAfter "begunAfter",
    Chosen "chosen",
    Needs "needs",
    Task "task",
    AfterErr "afterErr",
    Ending "ending",
    OnDoneErr "onDoneErr",
    OnFailedErr "onFailedErr",
    OnStoppedErr "onStoppedErr",
    Instance "instance",
    Id "id",
    Labels "labels",
    States "states",
}

impl<'de> Deserialize<'de> for Key {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            #[inline]
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::new(name))
            }
        }
        deserializer.deserialize_identifier(Visitor)
    }
}

/// The data that was read but is not in the node yet.
#[derive(Default)]
pub(super) struct Fields {
    seen: u64,
    status: Option<Status>,
    attempts: Option<u32>,
    err: String,
}

impl Fields {
    /// Returns whether the field `name` was read.
    pub(super) fn has_name(&self) -> bool {
        self.seen & Key::Name.bit() != 0
    }

    /// Returns an error if a known field appears twice.
    #[inline]
    pub(super) fn once<E: de::Error>(&mut self, key: &Key) -> Result<(), E> {
        let bit = key.bit();
        if self.seen & bit != 0 {
            return Err(E::custom("the field stands twice"));
        }
        self.seen |= bit;
        Ok(())
    }

    /// Reads the value of any field except `states`.
    #[inline]
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        node: &mut State,
        key: &Key,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if *key != Key::Name {
            self.once(key)?;
        }
        match key {
            Key::Name => {
                node.name = Cow::Owned(map.next_value()?);
                self.once(key)?;
            }
            Key::Info => node.info = map.next_value()?,
            Key::Err => self.err = map.next_value::<Option<_>>()?.unwrap_or_default(),
            Key::Errs => node.errors = map.next_value::<Option<_>>()?.unwrap_or_default(),
            Key::ErrsLeftOut => {
                node.errors_left_out = map.next_value::<Option<_>>()?.unwrap_or_default();
            }
            Key::StartedAt => node.started_at = time(map)?,
            Key::DoneAt => node.done_at = time(map)?,
            Key::Status => self.status = map.next_value::<Option<Named<_>>>()?.map(|named| named.0),
            Key::Kind => {
                node.kind = map
                    .next_value::<Option<Named<_>>>()?
                    .map(|named| named.0)
                    .unwrap_or_default();
            }
            Key::Input => node.input = Some(map.next_value()?),
            Key::Decision => node.decision = map.next_value()?,
            Key::Output => node.output = map.next_value()?,
            Key::Attempts => self.attempts = map.next_value()?,
            Key::Before => node.before = Some(map.next_value()?),
            Key::After => node.after = Some(map.next_value()?),
            Key::Progress => node.progress = map.next_value()?,
            Key::Undo => node.undo = map.next_value()?,
            Key::Until => node.until = map.next_value::<Option<Named<_>>>()?.map(|named| named.0),
            Key::Since => node.since = time(map)?,
            Key::Deadline
            | Key::Parallel
            | Key::Cause
            | Key::VerifyOwed
            | Key::Failures
            | Key::Deaths
            | Key::WaitedNanos
            | Key::Generation
            | Key::StepKind
            | Key::BegunAfter
            | Key::Chosen
            | Key::Needs
            | Key::Task
            | Key::AfterErr
            | Key::Ending
            | Key::OnDoneErr
            | Key::OnFailedErr
            | Key::OnStoppedErr
            | Key::Instance => {
                let value: Json = map.next_value()?;
                old_form::take(node, key.as_str(), value);
            }
            Key::Id => {
                let id: Option<Cow<'_, str>> = map.next_value()?;
                node.id = id
                    .map(|id| match crate::base::id::check(&id) {
                        Ok(()) => Ok(Arc::from(&*id)),
                        Err(why) => Err(de::Error::custom(format!("no id: {why}"))),
                    })
                    .transpose()?;
            }
            Key::Labels => node.labels = map.next_value::<Option<_>>()?.unwrap_or_default(),
            Key::States => {}
            Key::Other(name) => {
                let value: Json = map.next_value()?;
                node.extra.push((name.clone(), value));
            }
        }
        Ok(())
    }

    /// Completes the node, or returns what is wrong with it.
    #[inline]
    pub(super) fn finish(&mut self, node: &mut State) -> Result<(), String> {
        if !self.has_name() {
            return Err("the node has no `name`".to_owned());
        }
        if !self.err.is_empty() {
            if node.errors.is_empty() {
                node.errors.push(std::mem::take(&mut self.err));
            } else if Joined(&node.errors).to_string() != self.err {
                node.errors.insert(0, std::mem::take(&mut self.err));
            }
        }
        let started = node.started_at.is_some();
        node.attempts = self.attempts.unwrap_or(told_attempts(node));
        let done = node.done_at.is_some();
        let failed = !node.errors.is_empty();
        let told = Status::from_go(started, done, failed);
        node.status = self.status.unwrap_or(told);
        old_form::translate(node);
        if let Some(status) = self.status
            && status != told
            && let Some(contradiction) = contradiction(status, done, failed)
        {
            return Err(contradiction);
        }
        Ok(())
    }
}

/// Returns why a node with these fields can't have this status.
#[cold]
fn contradiction(status: Status, done: bool, failed: bool) -> Option<String> {
    let but = match status {
        Status::Done | Status::Failed if !done => "`doneAt` is null",
        Status::Pending | Status::Running | Status::Waiting if done => "`doneAt` is set",
        Status::Done if failed => "there is an error",
        _ => return None,
    };
    Some(format!("the status is `{status}`, but {but}"))
}
