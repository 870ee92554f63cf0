//! Children that the caller of a run starts: what it is told of them by the run's journal, and what it tells the run.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use crate::{
    base::{error::StepError, future::BoxFuture, json::Json, sync::lock},
    interpreter::RunCore,
    language::{
        children::{ChildEnd, ChildError, ChildRequest, NewChild, RunEngine},
        flow::Flow,
    },
    model::failure::ChildFailed,
    run::Run,
};

/// How often the undo of a child is looked at whose end nobody tells.
const ASK_IN_VAIN: Duration = Duration::from_hours(24);

/// The child executions of a run that another engine than [`Engine`](crate::Engine) makes, which starts them and tells
/// how they have ended: [`Run::children`].
///
/// What is to be started stands in the journal's entries, [`Entry::children`](crate::journal::Entry::children), and what
/// is waited for, at the end of a pass, in what they have recorded:
/// [`Recorded::children`](crate::journal::Recorded::children). Clones are the same.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use steps::{Children, Outcome, journal::{Batch, BoxFuture, Entry, Journal, JournalError}, prelude::*};
///
/// #[derive(Default)]
/// struct Log(Mutex<Vec<Entry>>);
///
/// impl Journal for Log {
///     fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
///         self.0.lock().unwrap().push(batch.to_entry());
///         Box::pin(std::future::ready(Ok(())))
///     }
/// }
///
/// #[flow]
/// async fn bill(cents: u32) -> Result<u32, String> {
///     steps! { let due: u32 = cents + 100; }
///     Ok(due)
/// }
///
/// #[flow]
/// async fn order(cents: u32) -> Result<u32, String> {
///     steps! {
///         child = start bill(cents).id("bill-7");
///         due   = join child;
///     }
///     Ok(due)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (log, children) = (Arc::new(Log::default()), Children::new());
/// let mut run = order(200).journal(log.clone()).children(&children).passes()?;
/// assert!(matches!(run.pass().await?, Outcome::Waiting { .. }));
/// let started: Vec<_> = log.0.lock().unwrap().iter().flat_map(|entry| entry.children().to_vec()).collect();
/// assert_eq!((&*started[0].flow, &*started[0].id), ("bill", "bill-7"));
///
/// // It runs elsewhere, and ends.
/// children.done("bill-7", Some(steps::Json::encode(&300)?));
/// assert!(matches!(run.pass().await?, Outcome::Done(300)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Children(Arc<Port>);

#[derive(Default)]
struct Port {
    known: Mutex<BTreeMap<String, Known>>,
    run: Mutex<Weak<RunCore>>,
}

/// What is known of a child.
#[derive(Default)]
struct Known {
    end: Option<Result<Option<Json>, String>>,
    taken_back: Option<Result<(), String>>,
}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = lock(&self.0.known);
        f.debug_set().entries(known.keys()).finish()
    }
}

impl Children {
    /// No children yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The execution has started this child before, in another run.
    pub fn started(&self, id: &str) {
        lock(&self.0.known).entry(id.to_owned()).or_default();
    }

    /// A child is done, with this output; lines that join it go on.
    pub fn done(&self, id: &str, output: Option<Json>) {
        self.tell(id, |known| known.end = Some(Ok(output)));
    }

    /// A child has ended, and is not done; lines that join it fail with this text, that of its
    /// [`Failure`](crate::Failure).
    pub fn failed(&self, id: &str, why: impl Into<String>) {
        self.tell(id, |known| known.end = Some(Err(why.into())));
    }

    /// What a child did is taken back; or it can't be, for this reason.
    pub fn taken_back(&self, id: &str, result: Result<(), String>) {
        self.tell(id, |known| known.taken_back = Some(result));
    }

    fn tell(&self, id: &str, change: impl FnOnce(&mut Known)) {
        change(lock(&self.0.known).entry(id.to_owned()).or_default());
        if let Some(run) = lock(&self.0.run).upgrade() {
            run.child_ended(id.to_owned());
        }
    }

    /// Lets a run have them, and know of those of which something was told before.
    pub(in crate::run) fn attach(&self, run: &Arc<RunCore>) {
        *lock(&self.0.run) = Arc::downgrade(run);
        for (id, known) in &*lock(&self.0.known) {
            if known.end.is_some() || known.taken_back.is_some() {
                run.child_ended(id.clone());
            }
        }
    }
}

impl<F: Flow> Run<'_, F> {
    /// Has the run's children started, and looked after, by whoever calls its passes: see [`Children`]. By default they
    /// are run within their `start` lines.
    pub fn children(self, children: &Children) -> Self {
        self.with_children(children.clone())
    }
}

fn never(why: String) -> ChildError {
    ChildError::Never(StepError::fatal(why))
}

impl RunEngine for Children {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn has_a_span(&self) -> bool {
        false
    }

    fn asks_in_vain(&self) -> Duration {
        ASK_IN_VAIN
    }

    fn admit<'a>(
        &'a self,
        _: &'a str,
        _: String,
        child: ChildRequest,
    ) -> BoxFuture<'a, Result<NewChild, ChildError>> {
        Box::pin(async move {
            let id = match child.id {
                None => crate::base::id::new().to_string(),
                Some(id) => {
                    if let Err(why) = crate::base::id::check(&id) {
                        return Err(never(format!("`{id}` can't be the id of a child: {why}")));
                    }
                    id
                }
            };
            let mut known = lock(&self.0.known);
            if known.contains_key(&id) {
                return Err(never(format!(
                    "can't start the child `{id}`: this id is that of an execution that this one has started as \
                     well. Give each child an id of its own, or none"
                )));
            }
            known.insert(id.clone(), Known::default());
            Ok(NewChild {
                id,
                flow: child.flow,
                input: child.input,
                labels: child.labels,
                priority: child.priority,
                form: None,
                begins: child.begins,
                trace: None,
            })
        })
    }

    fn end_of<'a>(
        &'a self,
        parent: &'a str,
        child: &'a str,
    ) -> BoxFuture<'a, Result<Option<ChildEnd>, ChildError>> {
        let end = match lock(&self.0.known).get(child) {
            None => Err(never(format!(
                "execution `{child}` is no child of `{parent}`: only the execution that has started one can \
                 join it"
            ))),
            Some(known) => Ok(known.end.clone().map(|end| match end {
                Ok(output) => ChildEnd::Done(output),
                Err(why) => ChildEnd::NotDone(ChildFailed {
                    id: child.to_owned(),
                    why,
                }),
            })),
        };
        Box::pin(std::future::ready(end))
    }

    fn take_back<'a>(&'a self, child: &'a str) -> BoxFuture<'a, Result<bool, ChildError>> {
        let known = lock(&self.0.known);
        let taken_back = known.get(child).and_then(|known| known.taken_back.clone());
        let result = match taken_back {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(why)) => Err(never(format!(
                "the child `{child}` could not be undone: {why}"
            ))),
        };
        Box::pin(std::future::ready(result))
    }
}
