//! Writes a plan as JSON, so that it is read back as the same.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use super::{
    draft::Mark,
    find::written,
    read::{
        ARGS, AT, AT_ONCE, FROM, IN_ORDER, NAME, OPTIONAL, OUTPUTS, PARALLEL, PIVOT, STEP, STEPS,
    },
    registered::Known,
    tree::{Arg, NodeWork, TOP, Tree},
};
use crate::model::state::path;

/// A plan, to be written.
pub(super) struct Whole<'t> {
    pub(super) tree: &'t Tree,
    pub(super) known: Known,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(STEPS, &Steps(self, TOP))?;
        if let Some(outputs) = &self.tree.outputs {
            let paths = outputs
                .iter()
                .map(|node| path::join(self.tree.names(*node)));
            map.serialize_entry(OUTPUTS, &paths.collect::<Vec<String>>())?;
        }
        map.end()
    }
}

/// The steps of a group.
struct Steps<'t>(&'t Whole<'t>, usize);

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let steps = self.0.tree.steps_of(self.1);
        let mut list = serializer.serialize_seq(Some(steps.len()))?;
        for step in steps {
            list.serialize_element(&One(self.0, *step))?;
        }
        list.end()
    }
}

/// A step or a group.
struct One<'t>(&'t Whole<'t>, usize);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(whole, node) = *self;
        let own = &whole.tree.nodes[node];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(NAME, &own.name)?;
        match &own.work {
            NodeWork::Group { at_once: 1, .. } => {
                map.serialize_entry(IN_ORDER, &Steps(whole, node))?;
            }
            NodeWork::Group { at_once, .. } => {
                map.serialize_entry(PARALLEL, &Steps(whole, node))?;
                if *at_once != usize::MAX {
                    map.serialize_entry(AT_ONCE, at_once)?;
                }
            }
            NodeWork::Step { step, args, mark } => {
                map.serialize_entry(STEP, whole.known.name(*step))?;
                let args = Args {
                    whole,
                    node,
                    step: *step,
                    given: args,
                };
                if args.has(|arg| matches!(arg, Arg::Value(_))) {
                    map.serialize_entry(ARGS, &Values(&args))?;
                }
                if args.has(|arg| matches!(arg, Arg::From { .. })) {
                    map.serialize_entry(FROM, &Froms(&args))?;
                }
                match mark {
                    Mark::None => {}
                    Mark::Optional => map.serialize_entry(OPTIONAL, &true)?,
                    Mark::Pivot => map.serialize_entry(PIVOT, &true)?,
                }
            }
        }
        map.end()
    }
}

struct Args<'t> {
    whole: &'t Whole<'t>,
    node: usize,
    step: usize,
    given: &'t [Arg],
}

impl Args<'_> {
    fn has(&self, is: impl Fn(&Arg) -> bool) -> bool {
        self.given.iter().any(is)
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &Arg)> {
        let params = self.whole.known.params(self.step);
        params.iter().map(|param| param.name).zip(self.given)
    }
}

/// The arguments that are values.
struct Values<'t>(&'t Args<'t>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, arg) in self.0.named() {
            if let Arg::Value(value) = arg {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// The arguments that other steps give.
struct Froms<'t>(&'t Args<'t>);

impl Serialize for Froms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, arg) in self.0.named() {
            if let Arg::From { node, at } = arg {
                let step = written(self.0.whole.tree, self.0.node, *node);
                match &**at {
                    "" => map.serialize_entry(name, &step)?,
                    at => map.serialize_entry(name, &Part { step: &step, at })?,
                }
            }
        }
        map.end()
    }
}

/// A part of an output.
struct Part<'t> {
    step: &'t str,
    at: &'t str,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(STEP, self.step)?;
        map.serialize_entry(AT, self.at)?;
        map.end()
    }
}
