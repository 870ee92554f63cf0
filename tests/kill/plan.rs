//! What has to come of a job: written down beside the flows, as somebody would who only knows what
//! they are for.

use crate::{
    jobs::{Job, Kind},
    world::value,
};

/// How an execution has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done(u64),
    Undone,
    /// Undone if the request for it was acknowledged; otherwise, as it may have been kept all the
    /// same, either.
    Either(u64),
}

/// One step with an effect.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) path: String,
    /// Whether its effect happens, or only may.
    pub(crate) certain: bool,
    pub(crate) verified: bool,
    /// Whether it is undone in a flow that ends done: a part that failed and was passed over.
    pub(crate) passed_over: bool,
    place: Place,
}

/// Where a step stands: at each level the number of its line, and of its branch if that line's
/// branches run at once.
type Place = Vec<(u64, u64)>;

/// What has to come of a job.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) end: End,
    pub(crate) steps: Vec<Planned>,
    /// How many steps may be at work at once.
    pub(crate) width: usize,
}

impl Planned {
    /// Whether this one ends before the other begins.
    pub(crate) fn before(&self, other: &Self) -> bool {
        for (mine, its) in self.place.iter().zip(&other.place) {
            if mine.0 != its.0 {
                return mine.0 < its.0;
            }
            if mine.1 != its.1 {
                return false;
            }
        }
        false
    }
}

/// Puts a plan together, line by line.
struct Maker {
    id: String,
    steps: Vec<Planned>,
    sum: u64,
    line: u64,
}

impl Maker {
    fn new(job: Job) -> Self {
        Self {
            id: job.id(),
            steps: Vec::new(),
            sum: 0,
            line: 0,
        }
    }

    fn value(&self, path: &str) -> u64 {
        value(&format!("{}/{path}", self.id))
    }

    fn push(&mut self, path: &str, verified: bool, place: Place) {
        self.steps.push(Planned {
            path: path.to_owned(),
            certain: true,
            verified,
            passed_over: false,
            place,
        });
    }

    /// A step in order.
    fn step(&mut self, path: &str, verified: bool) -> &mut Self {
        self.line += 1;
        self.push(path, verified, vec![(self.line, 0)]);
        self.sum += self.value(path);
        self
    }

    /// Branches at once, each a sequence of steps.
    fn at_once(&mut self, branches: &[&[(&str, bool)]]) -> &mut Self {
        self.line += 1;
        for (branch, steps) in (0..).zip(branches) {
            for (n, (path, verified)) in (0..).zip(*steps) {
                self.push(path, *verified, vec![(self.line, branch), (n, 0)]);
                self.sum += self.value(path);
            }
        }
        self
    }

    /// A step with no effect, which may fail.
    fn quiet(&mut self, path: &str) -> &mut Self {
        self.sum += self.value(path);
        self
    }

    /// The steps of `order` before its check, below this path.
    fn order(&mut self, below: &str) -> &mut Self {
        self.step(&format!("{below}reserve"), true)
            .step(&format!("{below}charge"), true)
            .step(&format!("{below}pack"), false)
    }

    /// The steps of a child that happen.
    fn kin(&mut self, job: Job) -> &mut Self {
        self.step("reserve", true).step("pack", false);
        if !job.child_fails() {
            self.quiet("check").step("ship", true);
        }
        self
    }

    /// All so far only may happen.
    fn perhaps(&mut self, from: usize) -> &mut Self {
        self.steps[from..]
            .iter_mut()
            .for_each(|step| step.certain = false);
        self
    }

    fn end(&mut self, end: impl FnOnce(u64) -> End, width: usize) -> Plan {
        Plan {
            end: end(self.sum),
            steps: std::mem::take(&mut self.steps),
            width,
        }
    }

    /// The check, and what follows it where it does not fail.
    fn checked(&mut self, job: Job, last: &str, verified: bool, width: usize) -> Plan {
        if job.fails {
            return self.end(|_| End::Undone, width);
        }
        self.quiet("check")
            .step(last, verified)
            .end(End::Done, width)
    }
}

/// The answer that an `asks` is given.
pub(crate) fn answer(job: Job) -> u64 {
    job.number % 1000
}

/// The plan of a job.
pub(crate) fn plan(job: Job) -> Plan {
    let mut make = Maker::new(job);
    match job.kind {
        Kind::Order => make.order("").checked(job, "ship", true, 1),
        Kind::Fan => {
            make.at_once(&[
                &[("both.left.one", true), ("both.left.two", false)],
                &[("both.right", true)],
                &[("both.third", false)],
            ]);
            let items: Vec<[String; 2]> = (0..job.count)
                .map(|n| [format!("items.{n}.it"), format!("items.{n}.then")])
                .collect();
            let items: Vec<[(&str, bool); 2]> = items
                .iter()
                .map(|[it, then]| [(&**it, true), (&**then, false)])
                .collect();
            let items: Vec<&[(&str, bool)]> = items.iter().map(|item| &item[..]).collect();
            make.at_once(&items);
            for n in 0..job.count {
                make.step(&format!("each.{n}.it"), false);
            }
            make.checked(job, "last", true, 3)
        }
        Kind::Rounds => {
            make.step("first", true);
            let sum = make.sum;
            for n in 1..=job.count {
                make.step(&format!("warm.{n}.n"), true);
            }
            make.sum = sum + job.count;
            make.quiet(&format!("warm.{}.ready", job.count));
            match job.number % 2 {
                0 => make.step("way.even", true),
                _ => make.step("way.odd", false),
            };
            make.checked(job, "last", false, 1)
        }
        Kind::Nest => {
            make.step("before", true)
                .order("inner.")
                .quiet("inner.check")
                .step("inner.ship", true);
            let (sum, from) = (make.sum, make.steps.len());
            make.order("tried.").sum = sum;
            make.steps[from..]
                .iter_mut()
                .for_each(|step| step.passed_over = true);
            make.checked(job, "after", true, 1)
        }
        Kind::Asks => {
            let sum = make.step("first", true).sum;
            make.step("second", true).sum = sum + 2 * answer(job);
            make.checked(job, "last", false, 1)
        }
        Kind::Held => make
            .step("first", false)
            .at_once(&[&[("both.one", true)], &[("both.two", true)]])
            .step("last", true)
            .end(End::Done, 2),
        Kind::Stuck => make
            .step("first", true)
            .at_once(&[&[("both.one", true)], &[("both.two", false)]])
            .step("last", true)
            .end(|_| End::Undone, 2),
        Kind::Beside => make
            .step("first", true)
            .at_once(&[
                &[("all.slow.one", true), ("all.slow.two", false)],
                &[("all.other", true)],
            ])
            .perhaps(1)
            .end(|_| End::Undone, 3),
        Kind::Withdrawn => make
            .step("first", true)
            .step("then", false)
            .step("last", true)
            .perhaps(0)
            .end(End::Either, 1),
        Kind::Family => {
            make.step("first", true).step("own", false);
            if job.child_fails() {
                return make.end(|_| End::Undone, 1);
            }
            make.sum += Maker::new(job.child()).kin(job).sum;
            make.checked(job, "last", true, 1)
        }
        Kind::Kin => {
            // Its parent takes it back, where that fails.
            let end: fn(u64) -> End = if job.fails {
                |_| End::Undone
            } else {
                End::Done
            };
            make.kin(job).end(end, 1)
        }
    }
}
