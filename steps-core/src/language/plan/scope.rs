//! The scopes of a plan: the interpreter enters them as those of any flow. What a line of them does, the
//! plan says.

use super::{
    draft::Mark,
    given::Given,
    registered::{Known, Planned},
    slots::PlanSlots,
    tree::{NodeWork, TOP, Tree},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::{
        cx::Cx,
        flow::Root,
        glue::{EnterResult, no_call, no_scope},
        scope::{Answer, Enter, Entered, Keys, LoadError, Op, OpResult, Saved, Scope},
    },
    model::table::Way,
};

/// The flow that a plan is of, whatever its type.
trait Host: Sync {
    fn tree(&self) -> &Tree;
    fn slots(&self) -> &PlanSlots;
    fn known(&self) -> Known;
    /// Carries out an operation of a step of the plan.
    fn step<'b>(
        &'b self,
        node: usize,
        number: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult>;
}

impl<F: Planned> Host for Root<'_, F> {
    fn tree(&self) -> &Tree {
        F::tree(self.input())
    }

    fn slots(&self) -> &PlanSlots {
        self.slots(0)
    }

    fn known(&self) -> Known {
        Known::of::<F>()
    }

    fn step<'b>(
        &'b self,
        node: usize,
        number: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult> {
        let (tree, slots) = (F::tree(self.input()), self.slots(0));
        let given = Given {
            tree,
            slots,
            params: Known::of::<F>().params(number),
            node,
        };
        let slot = slots.at(tree, node);
        F::step(F::shorten(self.lent), number, given, op, cx, slot)
    }
}

/// Enters the line of the whole plan.
pub fn enter_plan<'b, F: Planned>(frame: &'b Root<'_, F>, how: Enter<'b>) -> EnterResult<'b> {
    group(frame, TOP, how)
}

/// Enters a group: a `for` over its steps.
fn group<'b>(host: &'b dyn Host, node: usize, how: Enter<'b>) -> EnterResult<'b> {
    let tree = host.tree();
    let NodeWork::Group { at_once, steps } = &tree.nodes[node].work else {
        return no_scope();
    };
    let names = || steps.iter().map(|step| &*tree.nodes[*step].name);
    // Its steps are recorded, so that another plan in the place of this one is noticed.
    let all: Vec<&str> = names().collect();
    let now = Json::encode(&all).map_err(StepError::fatal)?;
    let (input, keys) = match how.input {
        Some(recorded) if *recorded == now => (None, None),
        Some(_) => {
            return Err(StepError::fatal(
                "its steps are others than when it began: a plan that has begun can't get others",
            ));
        }
        None => {
            let mut keys = Keys::default();
            for name in names() {
                keys.push(name).map_err(StepError::fatal)?;
            }
            (Some(now), Some(keys))
        }
    };
    Ok(Entered {
        scope: Some(Box::new(Items { host, node })),
        input,
        way: Way::default(),
        keys,
        at_once: Some(*at_once),
    })
}

/// The steps of a group, as the items of a `for`: each has one line, which says what it is.
struct Items<'b> {
    host: &'b dyn Host,
    node: usize,
}

/// One step: the arms that it may be.
struct Arms<'b> {
    host: &'b dyn Host,
    node: usize,
}

/// Enters the arms of a step: the one that it is. `is_marked`: its mark is the arm around these.
fn arms(host: &dyn Host, node: usize, is_marked: bool) -> Entered<'_> {
    // The marks and the group come after the registered steps.
    let after = host.known().lines.len();
    let arm = match host.tree().nodes[node].work {
        NodeWork::Group { .. } => after + 2,
        NodeWork::Step { mark, .. } if mark == Mark::Optional && !is_marked => after,
        NodeWork::Step { mark, .. } if mark == Mark::Pivot && !is_marked => after + 1,
        NodeWork::Step { step, .. } => step,
    };
    Entered {
        scope: Some(Box::new(Arms { host, node })),
        input: None,
        way: Way {
            branch: None,
            arm: Some(arm),
        },
        keys: None,
        at_once: None,
    }
}

impl Scope for Items<'_> {
    fn call<'b>(&'b self, _: usize, _: usize, _: Op<'b>, _: &'b Cx) -> BoxFuture<'b, OpResult> {
        no_call()
    }

    fn enter<'b>(&'b self, item: usize, _: usize, _: Enter<'b>, _: &'b Cx) -> EnterResult<'b> {
        match self.host.tree().steps_of(self.node).get(item) {
            Some(node) => Ok(arms(self.host, *node, false)),
            None => no_scope(),
        }
    }

    fn load(&self, _: usize, _: usize, _: Saved<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Scope for Arms<'_> {
    fn call<'b>(
        &'b self,
        _: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult> {
        let host = self.host;
        let (tree, node) = (host.tree(), self.node);
        if tree.step(node) != Some(line) {
            return Box::pin(std::future::ready(Err(StepError::fatal(
                "the plan has another step here than when it began",
            ))));
        }
        let gives = matches!(op, Op::Run(_) | Op::Verify(_));
        Box::pin(async move {
            let answer = host.step(node, line, op, cx).await?;
            if gives && let Answer::Done(json) = &answer {
                host.slots().at(tree, node).keep(json.clone());
            }
            Ok(answer)
        })
    }

    fn enter<'b>(&'b self, _: usize, _: usize, how: Enter<'b>, _: &'b Cx) -> EnterResult<'b> {
        match &self.host.tree().nodes[self.node].work {
            NodeWork::Group { .. } => group(self.host, self.node, how),
            NodeWork::Step { .. } => Ok(arms(self.host, self.node, true)),
        }
    }

    fn load(&self, _: usize, line: usize, saved: Saved<'_>) -> Result<(), LoadError> {
        let slot = self.host.slots().at(self.host.tree(), self.node);
        match saved {
            Saved::Failed(_) => slot.keep(None),
            Saved::Output(text) => {
                if let Some(step) = self.host.known().steps.get(line) {
                    let output = (step.load)(saved.text())?;
                    let json = text.map(Json::parse).transpose()?;
                    slot.load(output, json);
                }
            }
            Saved::Nothing | Saved::Chosen => {}
        }
        Ok(())
    }
}
