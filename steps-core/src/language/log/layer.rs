//! A layer of `tracing` that hands the events inside of a step's span to the step's log.

use std::fmt::{self, Debug};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::{Context, Filter},
    registry::LookupSpan,
};

use super::{
    StepLine,
    span::{SpanOf, handed, is_of_attempt},
};
use crate::model::log::LogLevel;

/// A layer for `tracing_subscriber` that keeps the events inside of a step, from this level on, in the step's
/// [log](crate::engine::Handle::log), as [`Cx::log`](crate::Cx::log) does. Behind the feature
/// `tracing-layer`.
///
/// An event is inside of a step if it is in the span of the attempt, or of the undo, or in one that was
/// entered below it: also on the thread of a `blocking` step, and in a task that was spawned with
/// `Instrument::in_current_span`. A line is the event's message with its other fields behind it.
///
/// The layer asks for spans of the level `DEBUG` of this library alone. A filter that is put in front of all
/// layers keeps them from it, so give other layers filters of their own:
///
/// ```
/// use steps::log::{LogLevel, layer};
/// use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, filter::LevelFilter};
///
/// let to_the_terminal = tracing_subscriber::fmt::layer().with_filter(LevelFilter::WARN);
/// let subscriber = tracing_subscriber::registry().with(to_the_terminal).with(layer(LogLevel::Info));
/// # let _guard = tracing::subscriber::set_default(subscriber);
/// ```
pub fn layer<S>(from: LogLevel) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    StepLayer.with_filter(only_steps(from))
}

/// Of all events, those from this level on; of all spans, those of attempts.
fn only_steps<S>(from: LogLevel) -> impl Filter<S> + Send + Sync {
    let most = LevelFilter::from_level(match from {
        LogLevel::Trace => Level::TRACE,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Info => Level::INFO,
        LogLevel::Warn => Level::WARN,
        LogLevel::Error => Level::ERROR,
    });
    filter_fn(move |metadata| {
        if metadata.is_span() {
            is_of_attempt(metadata)
        } else {
            *metadata.level() <= most
        }
    })
    .with_max_level_hint(most.max(LevelFilter::DEBUG))
}

struct StepLayer;

impl<S> Layer<S> for StepLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if let (Some(step), Some(span)) = (handed(), ctx.span(id)) {
            span.extensions_mut().insert(step);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        for span in ctx.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(step) = extensions.get::<SpanOf>() else {
                continue;
            };
            let Some(host) = step.host.upgrade() else {
                return;
            };
            let line = StepLine {
                level: level_of(*event.metadata().level()),
                attempt: step.attempt,
                is_undo: step.is_undo,
                message: &Text(event),
            };
            // In a run without an engine it is an event already.
            host.log(step.path.clone(), &line);
            return;
        }
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warn,
        Level::ERROR => LogLevel::Error,
    }
}

/// The text of an event: its message, then its other fields.
struct Text<'a>(&'a Event<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields {
            f,
            message: true,
            result: Ok(()),
            is_first: true,
        };
        self.0.record(&mut fields);
        fields.message = false;
        self.0.record(&mut fields);
        fields.result
    }
}

struct Fields<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    /// Whether it is the message's turn.
    message: bool,
    result: fmt::Result,
    is_first: bool,
}

impl Fields<'_, '_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if self.result.is_err() || (field.name() == "message") != self.message {
            return;
        }
        let space = if std::mem::take(&mut self.is_first) {
            ""
        } else {
            " "
        };
        self.result = if self.message {
            write!(self.f, "{space}{value}")
        } else {
            write!(self.f, "{space}{}={value}", field.name())
        };
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.message {
            self.write(field, format_args!("{value}"));
        } else {
            self.write(field, format_args!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.write(field, format_args!("{value}"));
    }
}
