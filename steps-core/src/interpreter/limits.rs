//! Limits the size of one execution. A step that exceeds a limit fails, with an error that names
//! the limit. The defaults are within the limits for reading a saved state.

use crate::{
    base::{error::StepError, json::Json},
    language::scope::Entered,
    model::{
        attrs::Attrs,
        signal::{SignalError, Target},
        state::Limits,
        table::StepMeta,
        task::{ReportError, TaskReport},
    },
};

/// Limits on the size of an execution: the size of each value and of all together, and the numbers of
/// nodes and of queued signals.
///
/// ```
/// use steps::RunLimits;
/// let limits = RunLimits::DEFAULT.payload(64 * 1024).items(100);
/// assert_eq!(limits.nodes, RunLimits::DEFAULT.nodes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLimits {
    /// The maximum size of one input, output, signal, observed value or saved working data, of all
    /// items of one `for`, and of all their keys, in bytes of JSON. By default 8 MiB.
    pub payload: usize,
    /// The maximum size of all inputs, outputs and working data of one execution's steps together, in bytes of JSON: a
    /// step with whose output there would be more fails, and is undone. By default there is no limit.
    pub tree: usize,
    /// The maximum number of items of one `for`. By default 100,000.
    pub items: usize,
    /// The maximum number of nodes in the whole tree: steps, groups, items and rounds. By default
    /// 1,000,000, the most that [`State`](crate::State) reads.
    pub nodes: usize,
    /// The maximum number of signals that queue for one path: for a step that is not in a `loop` or
    /// a `for` at most one, for whichever round or item waits this many; and of reports on one external
    /// task. By default 1,000.
    pub signals: usize,
    /// How many times in a row a process may die at one step or at its undo, unless the
    /// [policy](crate::policy::Policy::deaths) of that says otherwise; or at the flow itself: while the
    /// process takes the execution up, in a handler of the flow, or in the code after the steps. By default 5.
    pub deaths: u32,
}

impl RunLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        payload: 8 * 1024 * 1024,
        tree: usize::MAX,
        items: 100_000,
        nodes: Limits::DEFAULT.nodes,
        signals: 1000,
        deaths: 5,
    };

    /// Sets the maximum size of one value, in bytes of JSON.
    #[must_use]
    pub const fn payload(mut self, bytes: usize) -> Self {
        self.payload = bytes;
        self
    }

    /// Sets the maximum size of all values together, in bytes of JSON.
    #[must_use]
    pub const fn tree(mut self, bytes: usize) -> Self {
        self.tree = bytes;
        self
    }

    /// Sets the maximum number of items of one `for`.
    #[must_use]
    pub const fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Sets the maximum number of nodes in the whole tree.
    #[must_use]
    pub const fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// Sets the maximum number of signals that queue for one path.
    #[must_use]
    pub const fn signals(mut self, signals: usize) -> Self {
        self.signals = signals;
        self
    }

    /// Sets how many times in a row a process may die at one step, at one undo, or at the flow itself.
    #[must_use]
    pub const fn deaths(mut self, deaths: u32) -> Self {
        self.deaths = deaths;
        self
    }

    /// Returns how many signals may queue for these steps.
    pub(crate) fn queued(&self, target: &Target) -> usize {
        if target.is_one() { 1 } else { self.signals }
    }

    /// Returns the error of a queue that has as many signals for these steps as may be.
    pub(crate) fn full(&self, target: &Target) -> SignalError {
        let path = target.to_string();
        if target.is_one() {
            return SignalError::given(&path);
        }
        let most = self.signals;
        SignalError::Full { path, most }
    }

    /// Checks the size of a signal, and that its step can read it.
    pub(crate) fn check_signal(
        &self,
        path: &str,
        meta: &StepMeta,
        value: &Json,
    ) -> Result<(), SignalError> {
        self.check_signal_size(path, value)?;
        meta.check_given(value.get())
            .map_err(|error| SignalError::Value {
                path: path.to_owned(),
                why: format!("is not what its step waits for: {error}"),
            })
    }

    /// Checks the size of a signal.
    pub(crate) fn check_signal_size(&self, path: &str, value: &Json) -> Result<(), SignalError> {
        let bytes = value.get().len();
        if bytes > self.payload {
            let why = format!(
                "is {bytes} bytes of JSON, and the limit is {}: save it elsewhere, and send only \
                 where it is",
                self.payload
            );
            let path = path.to_owned();
            return Err(SignalError::Value { path, why });
        }
        Ok(())
    }

    /// Checks the values in a report on an external task, as far as their types are known.
    pub(crate) fn check_report(
        &self,
        path: &str,
        meta: Option<&StepMeta>,
        report: &TaskReport,
    ) -> Result<(), ReportError> {
        let path = || path.to_owned();
        let small = |value: &Json| match value.get().len() {
            bytes if bytes > self.payload => Err(format!(
                "is {bytes} bytes of JSON, and the limit is {}",
                self.payload
            )),
            _ => Ok(()),
        };
        if let Some(output) = &report.output {
            let fits = small(output).and_then(|()| match meta {
                Some(meta) => (meta.check)(output.get())
                    .map_err(|error| format!("is no `{}`: {error}", meta.output)),
                None => Ok(()),
            });
            fits.map_err(|why| ReportError::Output { path: path(), why })?;
        }
        if let Some(message) = &report.check_in {
            let fits = small(message).and_then(|()| match meta.map(|meta| meta.check_in) {
                Some(Some(check)) => {
                    check(message.get()).map_err(|error| format!("can't be read: {error}"))
                }
                _ => Ok(()),
            });
            if meta.is_some_and(|meta| meta.check_in.is_none()) {
                return Err(ReportError::NoCheckIns { path: path() });
            }
            fits.map_err(|why| ReportError::CheckIn { path: path(), why })?;
        }
        Ok(())
    }

    /// Checks the size of an execution's attributes.
    pub(crate) fn check_attrs(&self, attrs: &Attrs) -> Result<(), String> {
        let (bytes, most) = (attrs.as_json().len(), self.payload);
        if bytes > most {
            return Err(format!(
                "its attributes are {bytes} bytes of JSON, and the limit is {most}"
            ));
        }
        Ok(())
    }

    /// Checks the size of one value.
    pub(crate) fn check(&self, what: &str, json: Option<&Json>) -> Result<(), StepError> {
        match json.map(|json| json.get().len()) {
            Some(bytes) if bytes > self.payload => {
                Err(StepError::too_large(what, bytes, self.payload))
            }
            _ => Ok(()),
        }
    }

    /// Checks the size of what entering a scope evaluated.
    pub(super) fn check_entry(&self, entered: &Entered<'_>) -> Result<(), StepError> {
        self.check("input", entered.input.as_ref())?;
        let Some(keys) = &entered.keys else {
            return Ok(());
        };
        if keys.len() > self.items {
            return Err(StepError::fatal(format!(
                "it has {} items, and the limit is {}",
                keys.len(),
                self.items
            )));
        }
        if keys.bytes() > self.payload {
            return Err(StepError::fatal(format!(
                "the keys of its items have {} bytes, and the limit is {}",
                keys.bytes(),
                self.payload
            )));
        }
        Ok(())
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
