//! All forms of the language in one flow, for kills at random moments.

use std::time::Duration;

use steps::{External, prelude::*};

use crate::World;

/// Takes up to 20 milliseconds, between two lines of the log.
#[step]
pub async fn touch(world: &World, id: &str, name: &str) -> Result<String, String> {
    world.log(&format!("begin {id} {name}"));
    world.dawdle().await;
    world.log(&format!("end {id} {name}"));
    Ok(name.to_owned())
}

#[undo(touch)]
async fn untouch(world: &World, id: &str, name: &str, output: &String) -> Result<(), String> {
    assert_eq!(name, output);
    world.log(&format!("undo {id} {name}"));
    world.dawdle().await;
    world.log(&format!("undone {id} {name}"));
    Ok(())
}

/// The same, found out about.
#[step]
async fn charge(world: &World, id: &str, name: &str) -> Result<String, String> {
    world.log(&format!("begin {id} {name}"));
    world.dawdle().await;
    world.log(&format!("end {id} {name}"));
    Ok(name.to_owned())
}

#[verify(charge)]
async fn charged(world: &World, id: &str, name: &str) -> Option<String> {
    (world.count(&format!("end {id} {name}")) > 0).then(|| name.to_owned())
}

#[undo(charge)]
async fn refund(world: &World, id: &str, name: &str, _: &String) -> Result<(), String> {
    world.log(&format!("undo {id} {name}"));
    world.log(&format!("undone {id} {name}"));
    Ok(())
}

/// Fails, each time.
#[step]
async fn stumble(world: &World, id: &str, fails: bool) -> Result<(), String> {
    world.log(&format!("begin {id} stumble"));
    if fails {
        Err("it stumbles".to_owned())
    } else {
        Ok(())
    }
}

/// A task that somebody else runs.
#[step(external)]
async fn order(world: &World, id: &str, name: &str, cx: &Cx) -> Result<External<String>, String> {
    world.log(&format!("begin {id} {name}"));
    world.log(&format!("task {id} {name} {}", cx.task_id()));
    Ok(External::submitted())
}

#[undo(order)]
async fn cancel_order(
    world: &World,
    id: &str,
    name: &str,
    _cx: &Cx,
    _: &String,
) -> Result<(), String> {
    world.log(&format!("undo {id} {name}"));
    world.log(&format!("undone {id} {name}"));
    Ok(())
}

/// Asks three times.
#[step(poll(every = "10ms", times = 9))]
async fn look(cx: &Cx, world: &World, id: &str, name: &str) -> Result<Option<String>, String> {
    let asked: u32 = cx.saved().unwrap_or_default();
    if asked < 2 {
        cx.save(&(asked + 1)).map_err(|error| error.to_string())?;
        return Ok(None);
    }
    world.log(&format!("begin {id} {name}"));
    world.log(&format!("end {id} {name}"));
    Ok(Some(name.to_owned()))
}

#[undo(look)]
async fn look_away(
    _cx: &Cx,
    world: &World,
    id: &str,
    name: &str,
    _: &String,
) -> Result<(), String> {
    world.log(&format!("undo {id} {name}"));
    world.log(&format!("undone {id} {name}"));
    Ok(())
}

/// A part that is nested in the flow.
#[flow]
pub async fn inner(world: &World, id: String) -> Result<String, String> {
    steps! {
        x = touch(world, &id, "inner x");
        y = charge(world, &id, "inner y");
    }
    Ok(format!("{x}, {y}"))
}

/// The child.
#[flow]
pub async fn offspring(world: &World, id: String) -> Result<String, String> {
    steps! {
        x = touch(world, &id, "child x");
        pause = steps::sleep(Duration::from_millis(20));
        y = touch(world, &id, "child y");
    }
    Ok(format!("{x}, {y}"))
}

/// All forms.
#[flow]
pub async fn forms(world: &World, id: String, fails: bool) -> Result<String, String> {
    steps! {
        child = start offspring(id.clone()).id(format!("{id}-child"));
        first = touch(world, &id, "first");
        listed = for n in 0..2_u32 by n { item = touch(world, &id, &format!("item {n}")); }
        at_once = for n in 0..3_u32 by n parallel(2) {
            x = touch(world, &id, &format!("x{n}"));
            y = charge(world, &id, &format!("y{n}"));
        }
        rounds = loop max 5 {
            let number: u32 = prev.map_or(0, |prev| prev.number + 1);
            round = touch(world, &id, &format!("round {number}"));
            odd = if number == 1 { told = touch(world, &id, "odd"); }
        } until number == 2;
        way = match rounds.number {
            two = 2 => touch(world, &id, "two");
            other = _ => touch(world, &id, "never");
        }
        raced = race {
            quick = touch(world, &id, "quick");
            long = steps::sleep("1h");
        }
        both = parallel {
            ordered = order(world, &id, "order", cx);
            looked = look(cx, world, &id, "look");
            nested = flow inner(world, id.clone());
        }
        word = steps::signal::<String>();
        #[optional]
        maybe = stumble(world, &id, true);
        joined = join child;
        last = touch(world, &id, "last");
        end = stumble(world, &id, fails);
    }
    Ok(format!("{}, {word}, {joined}", both.ordered))
}
