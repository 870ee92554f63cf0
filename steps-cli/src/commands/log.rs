//! `log`: what the steps of an execution have logged, and what they log from now on.

use std::collections::HashMap;

use steps::{
    engine::{Handle, ReadLog},
    log::LogLine,
};
use steps_web::{encoded, form::Logged};

use crate::{
    args,
    context::Context,
    error::{Code, Error},
    out::Out,
};

/// How many lines are read at once.
const PAGE: usize = 1000;

pub(crate) async fn log(context: &Context<'_>, args: args::Log) -> Result<(), Error> {
    let handle = context.engine.get(args.id).await?;
    let of_step = || match &args.step {
        Some(step) => handle.log().step(step),
        None => handle.log(),
    };
    let mut lines = Lines::new(context.out);
    if let Some(most) = args.tail {
        lines.write(&mut of_step().tail(most).await?)?;
    } else {
        lines.write_all(of_step).await?;
    }
    if lines.last == 0 && args.tail != Some(0) {
        if let Some(step) = &args.step
            && handle.tree().await?.get(step).is_none()
        {
            let why = format!("there is no step `{step}` in `{}`", handle.id());
            return Err(Error::new(Code::NotFound, why));
        }
        if !args.follow {
            context.out.note("nothing is logged");
        }
    }
    if !args.follow {
        return Ok(());
    }
    loop {
        // Looked at before the lines are read: what was logged is there when the end is.
        let has_ended = has_ended(&handle).await?;
        lines.write_all(of_step).await?;
        if has_ended {
            return Ok(());
        }
        tokio::time::sleep(args.every).await;
    }
}

async fn has_ended(handle: &Handle) -> Result<bool, Error> {
    let info = handle.info().await?;
    Ok(info.status.is_final() && info.due.is_none())
}

/// Writes lines, and tells where some are missing.
struct Lines<'a> {
    out: &'a Out,
    /// The number of the last line.
    last: i64,
    /// Which line of its step each step's last one was.
    of_steps: HashMap<String, i64>,
}

impl<'a> Lines<'a> {
    fn new(out: &'a Out) -> Self {
        Self {
            out,
            last: 0,
            of_steps: HashMap::new(),
        }
    }

    /// Writes all that has come since.
    async fn write_all(&mut self, of_step: impl Fn() -> ReadLog) -> Result<(), Error> {
        loop {
            let mut page = of_step().after(self.last).limit(PAGE).await?;
            self.write(&mut page)?;
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn write(&mut self, lines: &mut [LogLine]) -> Result<(), Error> {
        for line in lines {
            encoded::of_str(&mut line.message);
            let line = &*line;
            self.last = line.number;
            if self.out.json {
                self.out.value(&Logged::from(line))?;
                continue;
            }
            let before = self.of_steps.insert(line.path.clone(), line.of_step);
            let missing = before.map_or(0, |before| line.of_step - before - 1);
            if missing > 0 {
                self.out
                    .line(format!("… {missing} lines of {} are not kept", line.path))?;
            }
            self.out.line(text(line))?;
        }
        Ok(())
    }
}

/// A line for people. What would move the cursor of a terminal, or colour it, is shown as what it is.
fn text(line: &LogLine) -> String {
    let LogLine {
        at,
        level,
        path,
        attempt,
        message,
        ..
    } = line;
    let at = at.strftime("%Y-%m-%d %H:%M:%S%.3fZ");
    let undo = if line.is_undo { " undo" } else { "" };
    let plain = |c: char| match c {
        '\t' | '\n' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    let message: String = message.chars().map(plain).collect();
    // The further lines of a text stand below its first.
    let message = message.trim_end().replace('\n', "\n    ");
    format!("{at} {level:<5} {path} #{attempt}{undo}: {message}")
}

#[cfg(test)]
mod tests {
    use steps::log::LogLevel;

    use super::*;

    #[test]
    fn a_line_moves_no_cursor() {
        let at = "2026-01-02T03:04:05.678912Z".parse().unwrap();
        let message = "a\nb\x1b[31m\r\n";
        let line = LogLine::new(1, 1, at, LogLevel::Warn, "a.b", 2, true, message);
        let expected = "2026-01-02 03:04:05.678Z warn  a.b #2 undo: a\n    b\\u{1b}[31m\\r";
        assert_eq!(text(&line), expected);
    }
}
