//! Measuring time.

use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// The time limit for a row.
const BUDGET: Duration = Duration::from_millis(1500);

/// The target time of one sample: long compared with the clock's resolution, short compared with
/// other work on the machine.
const SAMPLE: Duration = Duration::from_micros(400);

/// Runs a future that waits for nothing outside of it.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Something to measure: a call, and the number of units that one call does.
pub(crate) struct Subject<'a> {
    units: usize,
    call: Box<dyn FnMut() + 'a>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new<R>(units: usize, mut call: impl FnMut() -> R + 'a) -> Self {
        Self {
            units,
            call: Box::new(move || drop(black_box(call()))),
        }
    }

    pub(crate) fn repeat(&mut self, calls: u32) {
        for _ in 0..calls {
            (self.call)();
        }
    }

    fn sample(&mut self, calls: u32) -> Duration {
        let start = Instant::now();
        self.repeat(calls);
        start.elapsed()
    }
}

/// Returns the nanoseconds per unit of each subject: the fastest samples, measured in alternating
/// turns.
#[expect(clippy::cast_precision_loss, reason = "a few thousand units")]
pub(crate) fn fastest<const N: usize>(mut subjects: [Subject<'_>; N]) -> [f64; N] {
    let calls: [u32; N] = std::array::from_fn(|index| {
        let once = (0..3).map(|_| subjects[index].sample(1)).min();
        let once = once.unwrap_or(SAMPLE).max(Duration::from_nanos(1));
        let calls = SAMPLE.as_nanos() / once.as_nanos();
        u32::try_from(calls).unwrap_or(u32::MAX).max(1)
    });
    let mut best = [f64::INFINITY; N];
    let start = Instant::now();
    while start.elapsed() < BUDGET {
        for ((subject, best), calls) in subjects.iter_mut().zip(&mut best).zip(calls) {
            let took = subject.sample(calls).as_nanos() as f64;
            *best = best.min(took / f64::from(calls) / subject.units as f64);
        }
    }
    best
}

type Boxed = Pin<Box<dyn Future<Output = Result<(), std::io::Error>> + Send>>;

async fn noop() -> Result<(), std::io::Error> {
    Ok(())
}

/// Returns the floor of a step: await one boxed future that does nothing, read the clock once.
pub(crate) fn floor<'a>() -> Subject<'a> {
    const STEPS: usize = 1000;
    Subject::new(STEPS, || {
        block_on(async {
            for _ in 0..STEPS {
                let future: Boxed = black_box(Box::pin(noop()));
                let _ = black_box(future.await);
                black_box(Timestamp::now());
            }
        });
    })
}
