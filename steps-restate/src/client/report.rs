//! Reports on external tasks.

use steps_core::{Flow, Json, Reported, TaskId, TaskReport};

use super::{Client, ClientError};
use crate::handler::{names, reported};

impl Client {
    /// Reports how an external task of a flow's execution is doing, by whoever runs it, as
    /// [`Engine::report`](steps_core::Engine::report) does. It is safe with the server then. Reports may come more than once
    /// and in any order, and also while the step still runs that has submitted the task.
    ///
    /// The same without this crate is a request to the handler `report` of the flow's workflow, whose key is
    /// [the execution's id](TaskId::execution): `{"task": "…", "report": {"revision": 1, "status": "done", "output": 3}}`.
    ///
    /// ```no_run
    /// use steps::{External, Reported, TaskId, TaskReport, prelude::*};
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
    /// # async fn told(task: TaskId) -> Result<(), Box<dyn std::error::Error>> {
    /// let restate = steps_restate::Client::new("http://restate:8080")?;
    /// match restate.report::<publish>(&task, TaskReport::done(1, &3)?).await? {
    ///     Reported::Gone(why) => println!("nobody waits for it: {why}"),
    ///     taken_or_stale => println!("{taken_or_stale:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::Report`] if the report is wrong; [`ClientError::Unreachable`], after which it is to be sent again.
    pub async fn report<F: Flow>(
        &self,
        task: &TaskId,
        report: TaskReport,
    ) -> Result<Reported, ClientError> {
        let execution = self.execution::<F>(task.execution());
        let json = Json::encode(task).map_err(|error| execution.invalid(error))?;
        let body = format!(r#"{{"task":{json},"report":{}}}"#, report.to_json());
        let path = execution.path(names::REPORT);
        let answer = execution.post(&path, body).await;
        let answer = answer.map_err(|error| match error {
            ClientError::Signal { id, why } => ClientError::Report { id, why },
            other => other,
        })?;
        reported(&answer).ok_or_else(|| execution.invalid(format!("it answers {answer}")))
    }
}
