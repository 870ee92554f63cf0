//! The flows. What has to come of each is said in `plan`, without a look at what is here.

use std::time::Duration;

use steps::prelude::*;

use crate::{
    jobs::Job,
    steps::{act, block, check, counted, flaky, grudging, mended, plain, ready},
    world::{Broken, World},
};

#[flow]
pub(crate) async fn order(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        reserve = act(world, cx);
        charge  = flaky(world, cx);
        pause   = steps::sleep(Duration::from_millis(5));
        pack    = plain(world, cx);
        check(world, cx, job.fails);
        ship    = act(world, cx);
    }
    let () = pause;
    Ok(reserve + charge + pack + check + ship)
}

#[flow]
pub(crate) async fn fan(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        both = parallel {
            left  = { one = act(world, cx); two = plain(world, cx); }
            right = flaky(world, cx);
            third = block(world, &cx.idempotency_key());
        }
        items = for n in 0..job.count by n parallel(2) { it = act(world, cx); then = plain(world, cx); }
        each  = for n in 0..job.count by n { it = plain(world, cx); }
        check(world, cx, job.fails);
        last  = act(world, cx);
    }
    let both = both.left.one + both.left.two + both.right + both.third;
    let items: u64 = items.iter().map(|item| item.it + item.then).sum();
    let each: u64 = each.iter().map(|item| item.it).sum();
    Ok(both + items + each + check + last)
}

#[flow]
pub(crate) async fn rounds(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first = act(world, cx);
        warm  = loop max 10 {
            n = counted(world, cx, prev.map_or(1, |prev| prev.n + 1));
            ready(world, cx);
        } until n >= job.count;
        way   = if job.number % 2 == 0 { even = act(world, cx); } else { odd = plain(world, cx); }
        pause = steps::sleep(Duration::from_millis(40));
        check(world, cx, job.fails);
        last  = plain(world, cx);
    }
    let () = pause;
    let way = match &way {
        steps::Branch::Then(then) => then.even,
        steps::Branch::Else(other) => other.odd,
    };
    Ok(first + warm.n + warm.ready + way + check + last)
}

#[flow]
pub(crate) async fn nest(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        before = act(world, cx);
        inner  = flow order(world, job.inner(false));
        #[optional]
        tried  = flow order(world, job.inner(true));
        check(world, cx, job.fails);
        after  = act(world, cx);
    }
    Ok(before + inner + tried.unwrap_or_default() + check + after)
}

#[flow]
pub(crate) async fn asks(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first  = act(world, cx);
        answer = steps::signal::<u64>();
        second = counted(world, cx, answer);
        check(world, cx, job.fails);
        last   = plain(world, cx);
    }
    Ok(first + answer + second + check + last)
}

#[flow(on_failure = "hold")]
pub(crate) async fn held(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first  = plain(world, cx);
        both   = parallel { one = mended(world, cx); two = flaky(world, cx); }
        last   = act(world, cx);
    }
    let _ = job;
    Ok(first + both.one + both.two + last)
}

#[flow]
pub(crate) async fn stuck(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first = act(world, cx);
        both  = parallel { one = grudging(world, cx); two = plain(world, cx); }
        last  = act(world, cx);
        check(world, cx, true);
    }
    let _ = job;
    Ok(first + both.one + both.two + last + check)
}

#[flow]
pub(crate) async fn beside(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first = act(world, cx);
        all   = parallel {
            bad   = check(world, cx, true);
            slow  = { one = act(world, cx); two = plain(world, cx); }
            other = flaky(world, cx);
        }
    }
    let _ = job;
    Ok(first + all.bad + all.slow.one + all.slow.two + all.other)
}

#[flow]
pub(crate) async fn family(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first = act(world, cx);
        child = start kin(job.child()).id(job.child().id());
        own   = plain(world, cx);
        sum   = join child;
        check(world, cx, job.fails);
        last  = act(world, cx);
    }
    Ok(first + own + sum + check + last)
}

#[flow]
pub(crate) async fn kin(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        reserve = act(world, cx);
        pause   = steps::sleep(Duration::from_millis(10));
        pack    = plain(world, cx);
        check(world, cx, job.child_fails());
        ship    = act(world, cx);
    }
    let () = pause;
    Ok(reserve + pack + check + ship)
}

#[flow]
pub(crate) async fn withdrawn(world: &World, job: Job) -> Result<u64, Broken> {
    steps! {
        first = act(world, cx);
        pause = steps::sleep(Duration::from_millis(30));
        then  = plain(world, cx);
        last  = act(world, cx);
    }
    let () = pause;
    let _ = job;
    Ok(first + then + last)
}
