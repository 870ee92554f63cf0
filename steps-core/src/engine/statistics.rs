//! Asking for the statistics of a flow: `engine.statistics("attach_volume").last("7d").await`.

use std::{future::IntoFuture, time::Duration};

use jiff::Timestamp;

use super::{Engine, error::EngineError, handle::filter::Filter};
use crate::{
    base::duration::AsDuration,
    language::flow::Flow,
    store::{BoxFuture, Statistics, StatisticsQuery},
};

const DAY: Duration = Duration::from_hours(24);

/// A question for the statistics of a flow, from [`Engine::statistics`]. It is asked by awaiting it.
#[derive(Clone, Debug)]
#[must_use = "it is asked when it is awaited"]
pub struct StatisticsOf {
    engine: Engine,
    filter: Filter,
    flow: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Duration,
    sample: Option<usize>,
    slowest: Option<usize>,
    wrong: Option<String>,
}

impl Engine {
    /// Asks for statistics of the flow of this name, whether or not this engine serves it: of the
    /// executions that were created in the last day, unless something else is said. Executions that were
    /// saved under other names of a flow that it serves count as well.
    ///
    /// ```
    /// # use steps::{Engine, engine::EngineError};
    /// # async fn show(engine: &Engine) -> Result<(), EngineError> {
    /// let week = engine.statistics("attach_volume").last("7d").await?;
    /// println!("{}", week.text());
    /// for step in &week.current.steps {
    ///     if step.failure_rate() > 0.05 {
    ///         println!("{} fails often", step.path);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn statistics(&self, flow: impl Into<String>) -> StatisticsOf {
        let flow = flow.into();
        let filter = Filter::new().flow_name(&flow);
        StatisticsOf {
            engine: self.clone(),
            filter,
            flow,
            since: None,
            until: None,
            last: DAY,
            sample: None,
            slowest: None,
            wrong: None,
        }
    }

    /// The same, of the flow `F`: `engine.statistics_of::<attach_volume>()`.
    pub fn statistics_of<F: Flow>(&self) -> StatisticsOf {
        let mut asked = self.statistics(F::TABLE.name);
        asked.filter = asked.filter.flow::<F>();
        asked
    }
}

impl StatisticsOf {
    /// Of executions that were created from this time on.
    pub fn since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Of executions that were created before this time; by default, before now.
    pub fn until(mut self, time: Timestamp) -> Self {
        self.until = Some(time);
        self
    }

    /// Of executions that were created in this length of time before the end, such as `"7d"`, if nothing
    /// is said of [when it begins](Self::since). By default, a day.
    pub fn last(mut self, span: impl AsDuration) -> Self {
        match span.as_duration() {
            Ok(span) => self.last = span,
            Err(error) => self.wrong = Some(error.to_string()),
        }
        self
    }

    /// Looks at the steps of so many executions at most, of each of the two periods; by default, 10,000.
    /// More take longer, and are closer: see the guide.
    pub fn sample(mut self, executions: usize) -> Self {
        self.sample = Some(executions);
        self
    }

    /// Tells of so many of the slowest executions; by default, ten.
    pub fn slowest(mut self, executions: usize) -> Self {
        self.slowest = Some(executions);
        self
    }

    async fn ask(self) -> Result<Statistics, EngineError> {
        let refuse = |why| Err(EngineError::Filter { why });
        if let Some(why) = self.wrong {
            return refuse(why);
        }
        let until = self.until.unwrap_or_else(|| self.engine.core.clock.now());
        let since = match self.since {
            Some(since) => since,
            None => until.checked_sub(self.last).unwrap_or(Timestamp::MIN),
        };
        if since >= until {
            return refuse(format!(
                "the statistics are from {since} until {until}, which is not after that"
            ));
        }
        let flows = self.filter.query(&self.engine)?.flows;
        let mut query = StatisticsQuery::new(flows, since..until);
        query.sample = self.sample.unwrap_or(query.sample);
        query.slowest = self.slowest.unwrap_or(query.slowest);
        let mut statistics = self.engine.core.store.statistics(query).await?;
        statistics.flow = self.flow;
        Ok(statistics)
    }
}

impl IntoFuture for StatisticsOf {
    type Output = Result<Statistics, EngineError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.ask())
    }
}
