//! The flows of the tests. What their steps do is a line in a file, so that it is known whatever is killed; and a step goes
//! on only once its test lets it.
#![allow(
    clippy::missing_panics_doc,
    clippy::wildcard_imports,
    reason = "it is for tests"
)]

pub mod family;
pub mod forms;
pub mod outside;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    time::Duration,
};

use steps::prelude::*;

/// A folder: the log of what the steps did, and files that hold them up.
#[derive(Clone, Debug)]
pub struct World(pub PathBuf);

impl World {
    /// Adds a line to the log.
    pub fn log(&self, line: &str) {
        let mut file = OpenOptions::new();
        let file = file.create(true).append(true).open(self.0.join("log"));
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.expect("the log can be written");
    }

    /// The lines of the log.
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often a line is in the log.
    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|other| *other == line).count()
    }

    fn hold_of(&self, what: &str) -> PathBuf {
        self.0.join(format!("hold {what}"))
    }

    /// Holds up what is named so.
    pub fn hold(&self, what: &str) {
        fs::write(self.hold_of(what), "").expect("a file");
    }

    /// Lets it go on.
    pub fn let_go(&self, what: &str) {
        fs::remove_file(self.hold_of(what)).expect("it was held up");
    }

    async fn pass(&self, what: &str) {
        self.log(&format!("begin {what}"));
        while self.hold_of(what).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Takes up to 20 milliseconds.
    async fn dawdle(&self) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = now.map_or(0, |now| now.subsec_nanos());
        tokio::time::sleep(Duration::from_micros(u64::from(nanos / 1000 % 20_000))).await;
    }
}

/// Does something that takes no time, unless it is held up.
#[step]
pub async fn act(world: &World, name: &str) -> Result<String, String> {
    world.pass(name).await;
    world.log(&format!("end {name}"));
    Ok(format!("{name} done"))
}

#[undo(act)]
async fn take_back(world: &World, name: &str, done: &String) -> Result<(), String> {
    assert_eq!(*done, format!("{name} done"));
    world.pass(&format!("undo of {name}")).await;
    world.log(&format!("undone {name}"));
    Ok(())
}

/// The end of a flow, which may fail.
#[step]
pub async fn close(world: &World, fails: bool) -> Result<(), String> {
    world.log("close");
    if fails {
        Err("the door is stuck".to_owned())
    } else {
        Ok(())
    }
}

/// Steps in order, as many as a plain handler is compared with.
#[flow]
pub async fn ten(n: u32) -> Result<u32, String> {
    steps! {
        a = add(n); b = add(a); c = add(b); d = add(c); e = add(d);
        f = add(e); g = add(f); h = add(g); i = add(h); j = add(i);
    }
    Ok(j)
}

/// Adds one.
#[step]
pub async fn add(n: u32) -> Result<u32, String> {
    Ok(n + 1)
}

/// One of each kind of entry.
#[flow]
pub async fn journey(world: &World, fails: bool, pause: u64) -> Result<String, String> {
    steps! {
        a = act(world, "a");
        both = parallel {
            left = {
                l1 = act(world, "l1");
                l2 = act(world, "l2");
            }
            right = {
                r1 = act(world, "r1");
                r2 = act(world, "r2");
            }
        }
        pause = steps::sleep(Duration::from_millis(pause));
        word = steps::signal::<String>();
        z = act(world, "z");
        end = close(world, fails);
    }
    Ok(format!("{a}, {}, {word}", both.left.l2))
}

/// Takes up to 60 milliseconds.
#[step]
pub async fn dawdle(world: &World, name: &str) -> Result<String, String> {
    world.log(&format!("begin {name}"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.subsec_nanos());
    tokio::time::sleep(Duration::from_micros(u64::from(nanos / 1000 % 60_000))).await;
    world.log(&format!("end {name}"));
    Ok(name.to_owned())
}

/// Two branches that get on as they please.
#[flow]
pub async fn branches(world: &World, id: String) -> Result<String, String> {
    steps! {
        both = parallel {
            left = for n in 0..4_u32 by n {
                l = dawdle(world, &format!("{id} left {n}"));
            }
            right = {
                r1 = dawdle(world, &format!("{id} r1"));
                r2 = dawdle(world, &format!("{id} r2"));
                r3 = dawdle(world, &format!("{id} r3"));
            }
        }
        last = dawdle(world, &format!("{id} last"));
    }
    Ok(format!("{}, {last}", both.right.r3))
}

/// As many steps as there are items.
#[flow]
pub async fn items(world: &World, count: u32) -> Result<u32, String> {
    steps! {
        all = for n in 0..count by n { item = count_up(world, n); }
    }
    let last = all.last().map(|last| last.item);
    last.ok_or_else(|| "there are none".to_owned())
}

/// Logs each hundredth item.
#[step]
pub async fn count_up(world: &World, n: u32) -> Result<u32, String> {
    if n.is_multiple_of(100) {
        world.log(&format!("item {n}"));
    }
    Ok(n)
}

/// Goes on in other invocations again and again, as it is served with little room in each.
#[flow]
pub async fn parted(world: &World, fails: bool) -> Result<String, String> {
    steps! {
        first = for n in 0..12_u32 by n { done = act(world, &format!("first {n}")); }
        word = steps::signal::<String>();
        second = for n in 0..12_u32 by n parallel(3) { done = act(world, &format!("second {n}")); }
        more = steps::signal::<String>();
        pause = steps::sleep("10ms");
        last = act(world, "last");
        end = close(world, fails);
    }
    Ok(format!("{word} {more} {}", second.len()))
}

/// Waits until it is changed.
pub mod before {
    use super::*;

    /// The flow as it was.
    #[flow(name = "changed")]
    pub async fn changed(world: &World) -> Result<String, String> {
        steps! {
            a = act(world, "old a");
            word = steps::signal::<String>();
            b = act(world, "old b");
        }
        Ok(format!("{a}, {word}, {b}"))
    }
}

/// The same, changed so that what was begun does not fit.
pub mod after {
    use super::*;

    /// The flow as it is now.
    #[flow(name = "changed")]
    pub async fn changed(world: &World) -> Result<String, String> {
        steps! {
            renamed = act(world, "new a");
            word = steps::signal::<String>();
            b = act(world, "new b");
        }
        Ok(format!("{renamed}, {word}, {b}"))
    }
}

/// One step, which takes longer than the server waits for a word.
#[flow]
pub async fn lengthy(world: &World, name: String) -> Result<String, String> {
    steps! { done = take_long(world, &name); }
    Ok(done)
}

/// Takes two seconds.
#[step]
pub async fn take_long(world: &World, name: &str) -> Result<String, String> {
    world.log(&format!("begin {name}"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.log(&format!("end {name}"));
    Ok(name.to_owned())
}

/// The same, served so that the server cuts it off.
#[flow]
pub async fn cut_off(world: &World, name: String) -> Result<String, String> {
    steps! { done = take_long_unless(world, &name); }
    Ok(done)
}

/// Takes two seconds, but not the second time.
#[step]
pub async fn take_long_unless(world: &World, name: &str) -> Result<String, String> {
    world.log(&format!("begin {name}"));
    if world.count(&format!("begin {name}")) < 2 {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    world.log(&format!("end {name}"));
    Ok(name.to_owned())
}

/// Returns a large value.
#[step]
pub async fn blow_up(world: &World, name: &str, bytes: usize) -> Result<String, String> {
    world.log(&format!("begin {name}"));
    Ok("x".repeat(bytes))
}

/// Three large values at the same moment.
#[flow]
pub async fn large(world: &World, bytes: usize) -> Result<usize, String> {
    steps! {
        all = parallel {
            x = blow_up(world, "x", bytes);
            y = blow_up(world, "y", bytes);
            z = blow_up(world, "z", bytes);
        }
        then = act(world, "then");
    }
    Ok(all.x.len() + all.y.len() + all.z.len())
}
