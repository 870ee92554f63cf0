//! What a start has to be before an execution can be created: checked, and with its input encoded.

use std::any::Any;

use super::{
    IfTaken, Start,
    made::{check_same, later},
    singleton::Answer,
};
use crate::{
    base::error::caught,
    engine::{
        error::EngineError,
        handle::{execution::Execution, notes::check_notes},
        worker::served::ServedFlow,
    },
    language::flow::Flow,
    store::{NewExecution, Written},
};

/// A start that was checked.
pub(super) struct Prepared<'e, F: Flow> {
    pub(super) new: NewExecution,
    /// The form of the flow, if this engine serves it.
    pub(super) served: Option<&'e ServedFlow>,
    pub(super) form: i64,
    /// The handle of what will be there.
    pub(super) execution: Execution<F>,
}

impl<'e, F: Flow> Start<'e, F> {
    /// Checks all that was set. What is needed afterwards stays.
    pub(super) async fn prepare(&mut self) -> Result<Prepared<'e, F>, EngineError> {
        let engine = self.engine;
        let core = &engine.core;
        let id = match self.id.take() {
            Some(id) => match crate::base::id::check(&id) {
                Ok(()) => id,
                Err(why) => return Err(EngineError::Id { id, why }),
            },
            None => crate::base::id::new().to_string(),
        };
        let invalid = |why: String| EngineError::InvalidValue {
            id: id.clone(),
            why,
        };
        super::check_priority(&id, self.priority)?;
        if let Some(key) = &self.singleton
            && let Err(why) = crate::base::id::check(key)
        {
            return Err(invalid(format!("`{key}` can't be its key: {why}")));
        }
        if let Some(error) = self.bad_attrs.take() {
            return Err(invalid(error.to_string()));
        }
        check_notes(&self.notes, &core.limits).map_err(invalid)?;
        let trace = self.trace.take().transpose();
        let trace = trace.map_err(|error| invalid(error.to_string()))?;
        if core.is_draining() {
            return Err(EngineError::Closed);
        }
        core.check_runtime()?;
        let input = caught(|| F::save_input(self.input.value()))
            .map_err(|error| format!("its input can't be saved as JSON: {error}"))
            .and_then(|input| match core.limits.check("input", Some(&input)) {
                Ok(()) => Ok(input),
                Err(error) => Err(error.text()),
            })
            .map_err(invalid)?;
        let served = engine.flows.get(F::TABLE.name);
        let served = served.map(|(_, served)| served);
        // This program may serve another form of the flow than the one that is started.
        let served = served.filter(|served| served.flow.fingerprint() == F::FINGERPRINT);
        let form = match served {
            Some(served) => served.form,
            None => core.form_of(F::TABLE, F::FINGERPRINT).await?,
        };
        let new = NewExecution {
            id: id.clone(),
            flow: F::TABLE.name.to_owned(),
            input,
            labels: self.labels.clone(),
            notes: std::mem::take(&mut self.notes),
            priority: self.priority,
            form: Some(form),
            parent: None,
            singleton: self.singleton.take(),
            trace: trace.or_else(|| core.context_of_start(F::TABLE.name, &id)),
            created_at: None,
            held: None,
        };
        Ok(Prepared {
            new,
            served,
            form,
            execution: Execution::new(engine.clone(), id.as_str().into()),
        })
    }

    /// Starts the execution within a transaction of the store's database that somebody else has begun: it is there
    /// if, and only if, that is committed. Which transactions a store takes it says itself: this is for crates with
    /// a store, which give it a type. It is counted as started by nobody, as that is known to nobody.
    ///
    /// # Errors
    ///
    /// As of any start; [`ErrorKind::Rejected`](crate::store::ErrorKind::Rejected) by a store that can't do so, or with
    /// another transaction; and [`EngineError::InvalidValue`] if it is to [wait](IfTaken) for the end of another
    /// execution.
    #[doc(hidden)]
    pub async fn write_within(
        mut self,
        transaction: &mut (dyn Any + Send),
    ) -> Result<Execution<F>, EngineError> {
        let engine = self.engine;
        let Prepared { new, execution, .. } = self.prepare().await?;
        let (id, input) = (new.id.clone(), new.input.clone());
        if new.singleton.is_some() && matches!(self.if_taken, IfTaken::Stop | IfTaken::Undo) {
            let why = "within a transaction, a start can't wait for another execution to end: choose \
                       `IfTaken::Skip` or `IfTaken::Refuse`";
            let why = why.to_owned();
            return Err(EngineError::InvalidValue { id, why });
        }
        let write = later(new, self.at);
        match engine.core.store.write_within(write, transaction).await? {
            Written::Exists(existing) => check_same::<F>(&id, &existing, &input, self.labels)?,
            Written::Taken { by, new } => {
                if let Answer::Other(id) = engine.taken(by, *new, self.if_taken).await? {
                    return Ok(Execution::new(engine.clone(), id.into()));
                }
            }
            Written::Created(_) | Written::Kept | Written::Recalled | Written::Limited(_) => {}
        }
        Ok(execution)
    }
}
