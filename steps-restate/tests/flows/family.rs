//! Flows that start others.

use std::time::Duration;

use steps::prelude::*;

use crate::{World, act, close};

/// A child, whose second step may be the last thing that can be undone, or may fail.
#[flow]
pub async fn kid(world: &World, name: String, fails: bool) -> Result<String, String> {
    steps! {
        one = act(world, &format!("{name} one"));
        two = act(world, &format!("{name} two"));
        end = close(world, fails);
    }
    Ok(format!("{one}, {two}"))
}

/// One child by its id, and one that nobody names.
#[flow]
pub async fn parent(world: &World, kid_fails: bool, fails: bool) -> Result<String, String> {
    steps! {
        a = act(world, "a");
        first = start kid("first".to_owned(), false).id(format!("{}-first", cx.execution()));
        second = start kid("second".to_owned(), kid_fails);
        b = act(world, "b");
        one = join first;
        two = join second;
        c = act(world, "c");
        end = close(world, fails);
    }
    Ok(format!("{one}; {two}"))
}

/// One generation more.
#[flow]
pub async fn grandparent(world: &World, fails: bool) -> Result<String, String> {
    steps! {
        child = start parent(false, false);
        out = join child;
        end = close(world, fails);
    }
    Ok(out)
}

/// A child for each name, all at once, in an execution that goes on in other invocations again and again.
#[flow]
pub async fn household(world: &World, count: u32, fails: bool) -> Result<usize, String> {
    steps! {
        all = for n in 0..count by n {
            child = start kid(format!("k{n}"), false);
            then = act(world, &format!("started {n}"));
        }
        joined = for one in &all by &one.child parallel { out = join one.child; }
        end = close(world, fails);
    }
    Ok(joined.len())
}

/// A child that stays whatever becomes of its parent, one that can't be undone, and one that has not begun.
#[flow]
pub async fn leaving(world: &World) -> Result<(), String> {
    steps! {
        free = start kid("free".to_owned(), false).detached();
        bound = start pivoted();
        out = join bound;
        later = start kid("later".to_owned(), false).after(Duration::from_hours(1));
        end = close(world, true);
    }
    Ok(())
}

/// Can't be undone once it is done.
#[flow]
pub async fn pivoted(world: &World) -> Result<(), String> {
    steps! {
        before = act(world, "before the pivot");
        #[pivot]
        point = act(world, "the pivot");
    }
    Ok(())
}
