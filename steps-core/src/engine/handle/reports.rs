//! What is reported on external tasks.
//!
//! A report is a message to the execution, and is safe as soon as the call returns. How it reaches the
//! execution is told in `worker/delivery.rs`, and how its step takes it in `interpreter/reports.rs`.

use super::{execution::Handle, messages::TAKES_SIGNALS};
use crate::{
    base::json::Json,
    engine::{Engine, error::EngineError},
    model::{
        state::{NodeData, path},
        status::Status,
        task::{Gone, ReportError, Reported, TaskId, TaskReport},
    },
    store::{Message, MessageReceipt, Queue, SendMessage},
};

impl Engine {
    /// Reports how an external task is doing: a [`TaskReport`] on the task with this [id](crate::Cx::task_id),
    /// by whoever runs it. Returns as soon as the report is in the database, whichever process runs the
    /// execution, and whether or not any process does; it need not be one that serves the flow.
    ///
    /// Reports may come more than once, and in any order. Of one run of the task the later status counts,
    /// and the first end stays; a higher [`revision`](TaskReport::revision) counts before a lower one. So the
    /// sender may send each report until it has got an answer. The answer says whether it is of use to go
    /// on:
    ///
    /// * [`Reported::Taken`]: the report takes effect;
    /// * [`Reported::Stale`]: it changes nothing, as it was reported before, or is older than what was;
    /// * [`Reported::Gone`]: nobody waits for the task any more, and the sender may end it.
    ///
    /// A report may come while the step that has submitted the task still runs: it is kept until that has
    /// returned, and also if its process dies before.
    ///
    /// # Errors
    ///
    /// [`EngineError::Report`] with
    ///
    /// * [`ReportError::Malformed`]: the fields of the report contradict each other;
    /// * [`ReportError::Output`], [`ReportError::CheckIn`]: the value is not what the step takes, or larger
    ///   than [the limit](crate::RunLimits::payload). An engine that does not serve the flow can't know
    ///   the types: then an attempt with such an output fails, and such a check-in is left out;
    /// * [`ReportError::NoCheckIns`]: the step has no `#[on_check_in]`;
    /// * [`ReportError::Full`]: as many reports on the task [wait](crate::RunLimits::signals) as may.
    ///
    /// Nothing is changed then. [`EngineError::Store`] where the database could not do its part: the report
    /// is to be sent again.
    ///
    /// ```
    /// use steps::{External, Reported, TaskReport, prelude::*};
    ///
    /// #[step(external)]
    /// async fn scan(image: &str, cx: &Cx) -> Result<External<u32>, String> {
    ///     println!("POST /scans {image}, report to /tasks/{}", cx.task_id());
    ///     Ok(External::submitted())
    /// }
    ///
    /// #[flow]
    /// async fn publish(image: String) -> Result<u32, String> {
    ///     steps! { flaws = scan(&image, cx); }
    ///     Ok(flaws)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(publish::with()).start().await?;
    /// let execution = engine.start(publish::input("nginx".into())).await?;
    /// # while execution.state().await?.flaws.task().is_none() {
    /// #     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    /// # }
    /// let task = execution.state().await?.flaws.task().expect("it was submitted").id.clone();
    /// assert_eq!(engine.report(&task, TaskReport::running(1)).await?, Reported::Taken);
    /// assert_eq!(engine.report(&task, TaskReport::done(1, &3)?).await?, Reported::Taken);
    /// assert_eq!(execution.outcome().await?, 3);
    /// assert!(matches!(engine.report(&task, TaskReport::running(2)).await?, Reported::Gone(_)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn report(&self, task: &TaskId, report: TaskReport) -> Result<Reported, EngineError> {
        self.core.check_runtime()?;
        let id = task.execution();
        let refused = |error| EngineError::Report {
            id: id.to_owned(),
            error,
        };
        let report = report.checked().map_err(refused)?;
        let Some(saved) = self.core.store.load_open(id.to_owned()).await? else {
            return Ok(Reported::Gone(Gone::Unknown));
        };
        if !TAKES_SIGNALS.contains(&saved.info.status) {
            return Ok(Reported::Gone(Gone::Ended));
        }
        let table = self.flows.get(&saved.info.flow);
        let table = table.map(|(_, served)| served.flow.table());
        let handle = Handle::new(self.clone(), id.into(), table);
        let tree = handle.tree_of(saved)?;
        let found = tree
            .walk()
            .find(|(_, node)| node.task.as_ref().is_some_and(|own| own.id == *task));
        let Some((path, node)) = found else {
            return Ok(Reported::Gone(Gone::Unknown));
        };
        if let Some(answer) = without_effect(node, &report) {
            return Ok(answer);
        }
        let names: Vec<_> = path::split(&path).collect();
        let meta = table.and_then(|table| table.step_at(&names));
        let checked = self.core.limits.check_report(&path, meta, &report);
        checked.map_err(refused)?;
        let most = self.core.limits.signals;
        // What a report writes, it reads.
        let json = Json::parse(report.to_json());
        let message = SendMessage {
            id: id.to_owned(),
            message: Message::Report {
                task: task.to_string(),
                report: json.map_err(|error| {
                    let why = error.to_string();
                    refused(ReportError::Malformed { why })
                })?,
            },
            if_status: TAKES_SIGNALS.to_vec(),
            if_taken: None,
            queue: Queue::Behind(most),
        };
        Ok(match self.core.send(message).await? {
            MessageReceipt::Stored(_) | MessageReceipt::Changed => Reported::Taken,
            MessageReceipt::WrongStatus(_) => Reported::Gone(Gone::Ended),
            MessageReceipt::Unknown => Reported::Gone(Gone::Unknown),
            MessageReceipt::Full => return Err(refused(ReportError::Full { path, most })),
        })
    }
}

/// Returns the answer to a report that changes nothing of this node's task.
fn without_effect(node: &NodeData, report: &TaskReport) -> Option<Reported> {
    let task = node.task.as_ref()?;
    if task.changes(report).is_none() {
        return Some(Reported::Stale);
    }
    let is_open = matches!(node.status, Status::Running | Status::Waiting);
    (!is_open || task.status.is_final()).then_some(Reported::Gone(Gone::Over))
}
