use std::{future::Future, pin::Pin, task::Poll, time::Duration};

use futures_util::poll;
use proptest::prelude::*;

use super::*;

fn fixed(flows: usize) -> Limiter {
    Limiter::new(Concurrency::fixed(flows))
}

#[test]
fn a_permit_is_given_back_when_it_is_dropped() {
    let limiter = fixed(2);
    let one = limiter.try_acquire().unwrap();
    let two = limiter.try_acquire().unwrap();
    assert!(limiter.try_acquire().is_none());
    assert_eq!((limiter.free(), limiter.busy()), (0, 2));
    assert_eq!(format!("{limiter:?}"), "Limiter(2 of 2)");
    drop(one);
    assert_eq!(limiter.free(), 1);
    let _three = limiter.clone().try_acquire().unwrap();
    assert_eq!(limiter.free(), 0);
    drop(two);
    assert_eq!(limiter.free(), 1);
}

#[test]
fn a_bound_below_what_is_taken_frees_nothing_until_enough_is_given_back() {
    let limiter = fixed(3);
    let mut permits: Vec<_> = (0..3).map(|_| limiter.try_acquire().unwrap()).collect();
    limiter.set_limit(2);
    assert_eq!((limiter.free(), limiter.busy()), (0, 3));
    permits.pop();
    assert!(limiter.try_acquire().is_none());
    permits.pop();
    assert_eq!(limiter.free(), 1);
}

async fn is_ready(future: Pin<&mut impl Future<Output = ()>>) -> bool {
    poll!(future) == Poll::Ready(())
}

#[tokio::test]
async fn who_waits_for_room_is_woken_by_a_permit_and_by_a_larger_bound() {
    let limiter = fixed(1);
    limiter.freed().await;
    let permit = limiter.try_acquire().unwrap();

    let mut freed = pin!(limiter.freed());
    assert!(!is_ready(freed.as_mut()).await);
    drop(permit);
    assert!(is_ready(freed.as_mut()).await);

    let _permit = limiter.try_acquire().unwrap();
    let mut freed = pin!(limiter.freed());
    assert!(!is_ready(freed.as_mut()).await);
    limiter.set_limit(2);
    assert!(is_ready(freed.as_mut()).await);
}

#[tokio::test]
async fn room_that_somebody_else_took_is_waited_for_again() {
    let limiter = fixed(1);
    let permit = limiter.try_acquire().unwrap();
    let mut freed = pin!(limiter.freed());
    assert!(!is_ready(freed.as_mut()).await);
    drop(permit);
    let again = limiter.try_acquire().unwrap();
    assert!(!is_ready(freed.as_mut()).await);
    drop(again);
    assert!(is_ready(freed.as_mut()).await);
}

#[tokio::test]
async fn a_change_between_the_call_and_the_wait_is_not_lost() {
    let limiter = fixed(1);
    let permit = limiter.try_acquire().unwrap();
    let mut changed = pin!(limiter.changed());
    drop(permit);
    assert!(is_ready(changed.as_mut()).await);
}

#[tokio::test]
async fn limiters_beside_each_other_tell_each_other_and_count_apart() {
    let engine = fixed(2);
    let flow = engine.beside(Concurrency::fixed(1));
    let permit = flow.try_acquire().unwrap();
    assert_eq!((engine.free(), flow.free()), (2, 0));
    let mut changed = pin!(engine.changed());
    assert!(!is_ready(changed.as_mut()).await);
    drop(permit);
    assert!(is_ready(changed.as_mut()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_that_wait_for_one_another_all_get_their_turn_and_never_exceed_the_bound() {
    let limiter = fixed(3);
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let permit = loop {
                    match limiter.try_acquire() {
                        Some(permit) => break permit,
                        None => limiter.freed().await,
                    }
                };
                assert!(limiter.busy() <= 3);
                tokio::time::sleep(Duration::from_millis(1)).await;
                drop(permit);
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(30), task)
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!((limiter.free(), limiter.busy()), (3, 0));
}

proptest! {
    #[test]
    fn the_count_is_that_of_the_living_permits(
        steps in prop::collection::vec((0..3_u8, 0..6_usize), 0..60),
    ) {
        let limiter = fixed(3);
        let (mut permits, mut limit) = (Vec::new(), 3_usize);
        for (what, number) in steps {
            match what {
                0 => {
                    let room = permits.len() < limit;
                    let permit = limiter.try_acquire();
                    prop_assert_eq!(permit.is_some(), room);
                    permits.extend(permit);
                }
                1 if !permits.is_empty() => drop(permits.swap_remove(number % permits.len())),
                1 => {}
                _ => {
                    limit = number;
                    limiter.set_limit(limit);
                }
            }
            prop_assert_eq!(limiter.busy(), permits.len());
            prop_assert_eq!(limiter.limit(), limit);
            prop_assert_eq!(limiter.free(), limit.saturating_sub(permits.len()));
        }
    }
}
