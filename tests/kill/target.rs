//! Kills at a certain point: the child prints that it has reached it, and the parent kills it at once.
//! The child does not wait for that, so its marks in the log say where it was killed.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// A place to be killed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Step,
    Undo,
    Commit,
    TakeOver,
}

/// What a child says when it is there.
pub(crate) const THERE: &str = "there";

/// Where a child reports, if anywhere, and at which time it is there. Clones count together.
#[derive(Clone, Default)]
pub(crate) struct Target {
    point: Option<Point>,
    left: Arc<AtomicI64>,
}

impl Target {
    /// The process passes this point.
    pub(crate) fn at(&self, point: Point) {
        if self.point == Some(point) && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            println!("{THERE}");
        }
    }
}

/// As the parent gives it: `commit:12`, or `-`.
impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, count)) = text.split_once(':') else {
            return Ok(Self::default());
        };
        let point = match name {
            "step" => Point::Step,
            "undo" => Point::Undo,
            "commit" => Point::Commit,
            "takeover" => Point::TakeOver,
            other => return Err(format!("no point `{other}`")),
        };
        let count = count.parse().map_err(|_| format!("no number `{count}`"))?;
        Ok(Self {
            point: Some(point),
            left: Arc::new(AtomicI64::new(count)),
        })
    }
}
