//! The rounds of a `loop`.

use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    records::Id,
    requests::Gate,
    user_code::{At, call, enter},
};
use crate::{
    base::error::StepError,
    language::scope::Enter,
    model::{status::Status, table::Node},
};

impl Pass<'_> {
    /// The rounds of a `loop`.
    pub(super) async fn rounds(
        self,
        at: At<'_>,
        body: &'static [Node],
        max: u32,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        if !std::mem::replace(&mut self.run.tree()[id].loaded, true) {
            let done = {
                let tree = self.run.tree();
                let rounds = &tree[id].cold().rounds;
                rounds
                    .iter()
                    .filter(|round| tree[**round].status == Status::Done)
                    .count()
            };
            let how = Enter::default();
            if let Err((_, error)) = self.restore_round(at, body, id, done, how).await? {
                return Ok(Err(error));
            }
        }
        loop {
            if self.gate(id) == Gate::Halted {
                return Ok(Ok(End::Waiting(None)));
            }
            let round = {
                let mut tree = self.run.tree();
                let rounds = &tree[id].cold().rounds;
                let count = rounds.len();
                match rounds.last().copied() {
                    Some(last) if tree[last].status != Status::Done => last,
                    Some(last) if tree[last].cold().decision == Some(true) => {
                        drop(tree);
                        return Ok(Ok(self.done(id, None, *now)));
                    }
                    _ if max != 0 && count >= max as usize => {
                        drop(tree);
                        return Ok(Err(StepError::fatal(format!(
                            "its condition did not hold after {max} rounds"
                        ))));
                    }
                    _ => tree.round(id),
                }
            };
            let nodes = self.run.tree().len();
            if let Err(error) = self.run.limits.check_nodes(nodes) {
                return Ok(Err(error));
            }
            match self.round(at, body, round, now).await? {
                Ok(End::Done) => {}
                other => return Ok(other),
            }
        }
    }

    async fn round(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        if let Some(end) = self.open(id, *now) {
            return Ok(Ok(end));
        }
        let cx = self.cx(id, 1);
        let scope = match enter(at, Enter::default(), &cx).map(|entered| entered.scope) {
            Ok(Some(scope)) => scope,
            Ok(None) => return Ok(Ok(End::Done)),
            Err(error) => return Ok(Err(error)),
        };
        let first = self.run.tree().lines(id, body);
        if !std::mem::replace(&mut self.run.tree()[id].loaded, true)
            && let Err((_, error)) = self.restore(&*scope, 0, body, id).await?
        {
            return Ok(Err(error));
        }
        let end = self.sequence(&*scope, 0, body, first, now).await?;
        match end {
            End::Done => {}
            End::Waiting(_) => return Ok(Ok(end)),
            End::Failed | End::Interrupted => {
                self.fail_group(id, *now);
                return Ok(Ok(end));
            }
        }
        match call(|| scope.until(&cx)) {
            Ok(last) => {
                self.run.tree()[id].cold_mut().decision = Some(last);
                scope.close(last);
                Ok(Ok(self.done(id, None, *now)))
            }
            Err(error) => {
                self.fail(id, &error, *now);
                Ok(Ok(End::Failed))
            }
        }
    }
}
