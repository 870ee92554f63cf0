//! What is special about a `match`: it has a record for the arm that was taken, and for no other.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    End, Kept, Pass, RollbackEnd,
    enter::{At, OrStop, Stop},
    race::load_chosen,
    records::{Id, Records},
};
use crate::{
    base::error::StepError,
    language::scope::Scope,
    model::{
        status::Status,
        table::{Line, Work},
    },
};

/// The arm that was taken.
pub(super) struct Arm {
    number: usize,
    pub(super) line: &'static Line,
    pub(super) id: Id,
}

impl Arm {
    pub(super) fn at<'s>(&self, scope: &'s dyn Scope) -> At<'s> {
        At {
            scope,
            item: 0,
            line: self.number,
        }
    }
}

impl Records {
    /// Completes the record of a saved match: the name of its arm is the one it has now.
    pub(crate) fn fill_match(&mut self, id: Id, taken: &'static [Line]) {
        if let Some(arm) = taken.first()
            && self[id].cold().chosen.as_deref() != Some(arm.name)
        {
            self[id].cold_mut().chosen = Some(Arc::from(arm.name));
            self.differs(id);
        }
    }
}

impl Pass<'_> {
    /// Returns the arm of a `match` that was taken.
    pub(super) fn arm_taken(self, node: &'static Line, id: Id) -> Option<Arm> {
        let records = self.run.records();
        let Work::Match { arms, .. } = &node.work else {
            return None;
        };
        let number = node.work.way(records[id].cold()).arm?;
        let record = records[id].children().next()?;
        Some(Arm {
            number,
            line: arms.get(number)?,
            id: record,
        })
    }

    /// Runs the arm that was taken.
    pub(super) async fn arm(
        self,
        scope: &dyn Scope,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        let Some(arm) = self.arm_taken(node, id) else {
            let error = StepError::fatal("no arm was taken");
            return Err(Stop::Node(id, error));
        };
        if self.run.records()[arm.id].status != Status::Done {
            let end = Box::pin(self.line(arm.at(scope), arm.line, arm.id, now)).await?;
            if end != End::Done {
                return Ok(end);
            }
        }
        load_chosen(scope, id, arm.number)?;
        Ok(End::Done)
    }

    /// Restores the arm that was taken, if one was.
    pub(super) async fn restore_arm(
        self,
        scope: &dyn Scope,
        node: &'static Line,
        id: Id,
    ) -> OrStop {
        let Some(arm) = self.arm_taken(node, id) else {
            return Ok(());
        };
        Box::pin(self.restore_line(arm.at(scope), arm.line, arm.id)).await?;
        load_chosen(scope, id, arm.number)
    }

    /// Undoes the arm that was taken, if one was.
    pub(super) async fn roll_back_arm(
        self,
        scope: &dyn Scope,
        node: &'static Line,
        id: Id,
    ) -> Kept<RollbackEnd> {
        match self.arm_taken(node, id) {
            Some(arm) => {
                let back = self.roll_back_to_pivot(arm.at(scope), arm.line, arm.id);
                Box::pin(back).await
            }
            None => Ok(RollbackEnd::Clean),
        }
    }
}
