//! The flows of the benchmarks, and their expected results.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use steps::prelude::*;

/// How often `add` was called in this process.
pub(crate) static CALLS: AtomicU64 = AtomicU64::new(0);

/// How many executions have reached `gate`.
pub(crate) static AT_GATE: AtomicU64 = AtomicU64::new(0);

/// Whether an execution reached `gate` with a wrong value.
pub(crate) static WRONG: AtomicBool = AtomicBool::new(false);

/// The smallest step whose effect can be checked.
#[step]
async fn add(n: u64) -> Result<u64, String> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    Ok(n + 1)
}

/// Never ends.
#[step]
async fn gate(from: u64, sum: u64) -> Result<u64, String> {
    if sum != from + 10 {
        WRONG.store(true, Ordering::Relaxed);
    }
    AT_GATE.fetch_add(1, Ordering::Relaxed);
    std::future::pending().await
}

/// Returns `n + 3`.
#[flow]
pub(crate) async fn three(n: u64) -> Result<u64, String> {
    steps! {
        a = add(n);
        b = add(a);
        c = add(b);
    }
    Ok(c)
}

/// Returns `n + 10`.
#[flow]
pub(crate) async fn ten(n: u64) -> Result<u64, String> {
    steps! {
        a = add(n);
        b = add(a);
        c = add(b);
        d = add(c);
        e = add(d);
        f = add(e);
        g = add(f);
        h = add(g);
        i = add(h);
        j = add(i);
    }
    Ok(j)
}

/// So many rounds, of which ten stay recorded; then it waits. Returns their number.
#[flow]
pub(crate) async fn kept_rounds(last: u64) -> Result<u64, String> {
    steps! {
        turns = loop keep 10 {
            n = add(prev.map_or(0, |prev| prev.n));
        } until n >= last;
        go = steps::signal::<bool>();
    }
    let _ = go;
    Ok(turns.n)
}

/// Twenty steps; the eleventh never ends.
#[flow]
pub(crate) async fn twenty(n: u64) -> Result<u64, String> {
    steps! {
        a = add(n);
        b = add(a);
        c = add(b);
        d = add(c);
        e = add(d);
        f = add(e);
        g = add(f);
        h = add(g);
        i = add(h);
        j = add(i);
        k = gate(n, j);
        l = add(k);
        m = add(l);
        o = add(m);
        p = add(o);
        q = add(p);
        r = add(q);
        s = add(r);
        t = add(s);
        u = add(t);
    }
    Ok(u)
}

/// One step per item. Returns the sum of the numbers from 1 to `count`.
#[flow]
pub(crate) async fn items(count: u64) -> Result<u64, String> {
    steps! {
        all = for n in 0..count by n {
            next = add(n);
        }
    }
    Ok(all.iter().map(|item| item.next).sum())
}

/// The same, a hundred items at once.
#[flow]
pub(crate) async fn hundred_at_once(count: u64) -> Result<u64, String> {
    steps! {
        all = for n in 0..count by n parallel(100) {
            next = add(n);
        }
    }
    Ok(all.iter().map(|item| item.next).sum())
}

/// Waits for a signal.
#[flow]
pub(crate) async fn signalled(n: u64) -> Result<u64, String> {
    steps! {
        more = steps::signal::<u64>();
    }
    Ok(n + more)
}

/// Waits for a long time.
#[flow]
pub(crate) async fn asleep(n: u64) -> Result<u64, String> {
    steps! {
        pause = steps::sleep(Duration::from_hours(24));
    }
    Ok(n)
}

/// Waits for a signal or a long time.
#[flow]
pub(crate) async fn raced(n: u64) -> Result<u64, String> {
    steps! {
        first = race {
            more = steps::signal::<u64>();
            pause = steps::sleep(Duration::from_hours(24));
        }
    }
    Ok(match first {
        RacedFirst::More(more) => n + more,
        RacedFirst::Pause(()) => n,
    })
}

#[step]
async fn now() -> Result<Timestamp, String> {
    Ok(Timestamp::now())
}

/// Returns the time after a pause of this many milliseconds.
#[flow]
pub(crate) async fn alarm(millis: u64) -> Result<Timestamp, String> {
    steps! {
        pause = steps::sleep(Duration::from_millis(millis));
        at = now();
    }
    Ok(at)
}
