//! `show --watch`: looks at an execution now and then until it has ended. On a terminal its tree is drawn
//! anew, with a bar for each step that tells its progress; elsewhere there is a line for each change.

use std::{collections::BTreeMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use steps::{State, Status, engine::Handle, state::Change};

use super::show::Look;
use crate::{context::Context, error::Error, out::Out, text::time};

/// Follows an execution to its end, and returns how that is.
pub(crate) async fn watch(
    context: &Context<'_>,
    handle: &Handle,
    every: Duration,
) -> Result<Look, Error> {
    let out = context.out;
    let mut screen = (!out.json && out.is_terminal()).then(|| Screen::new(out));
    let mut before: Option<Look> = None;
    loop {
        let look = Look::at(handle).await?;
        let changes = before.as_ref().map(|before| before.tree.diff(&look.tree));
        let is_new = changes.as_ref().is_none_or(|changes| !changes.is_empty());
        let was = before.as_ref().map(|before| &before.tree);
        match &mut screen {
            Some(screen) => screen.draw(&look),
            None if !is_new => {}
            None if out.json => look.write_json(out)?,
            None => lines(out, was, &look.tree, &changes.unwrap_or_default())?,
        }
        if look.info.status.is_final() && look.info.due.is_none() {
            if let Some(screen) = screen {
                screen.clear();
            }
            if !out.json {
                look.write_text(out)?;
            }
            return Ok(look);
        }
        before = Some(look);
        tokio::time::sleep(every).await;
    }
}

/// Writes a line for each node whose status is another one.
fn lines(out: &Out, before: Option<&State>, tree: &State, changes: &[Change]) -> Result<(), Error> {
    let now = time(Some(Timestamp::now()));
    let line = |path: &str, node: &State| {
        let name = if path.is_empty() { &node.name } else { path };
        let error = node.errors.last().filter(|_| node.status == Status::Failed);
        let error = error.map(|error| format!(": {error}")).unwrap_or_default();
        out.line(format!("{now}  {}  {name}{error}", node.status))
    };
    let Some(before) = before else {
        return line("", tree);
    };
    for change in changes {
        match change {
            Change::Changed { path, .. } => {
                let was = before.get(path).map(|node| node.status);
                match tree.get(path) {
                    Some(node) if was != Some(node.status) => line(path, node)?,
                    _ => {}
                }
            }
            Change::Added { path } => {
                for (below, node) in tree.get(path).into_iter().flat_map(State::walk) {
                    let whole = if below.is_empty() {
                        path.clone()
                    } else {
                        format!("{path}.{below}")
                    };
                    line(&whole, node)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is drawn anew on a terminal.
struct Screen<'a> {
    out: &'a Out,
    all: MultiProgress,
    tree: ProgressBar,
    /// By the paths of their steps.
    bars: BTreeMap<String, ProgressBar>,
}

impl<'a> Screen<'a> {
    fn new(out: &'a Out) -> Self {
        let all = MultiProgress::new();
        let tree = all.add(ProgressBar::no_length());
        tree.set_style(style("{msg}\n\n{spinner} {elapsed}"));
        tree.enable_steady_tick(Duration::from_millis(120));
        Self {
            out,
            all,
            tree,
            bars: BTreeMap::new(),
        }
    }

    fn draw(&mut self, look: &Look) {
        let drawn = look.tree.tree().to_string();
        let (rows, _) = console::Term::stderr().size();
        let room = usize::from(rows).saturating_sub(5 + self.bars.len()).max(5);
        self.tree.set_message(self.out.tree(&fitting(&drawn, room)));
        let mut seen = Vec::new();
        for (path, node) in look.tree.walk() {
            let Some(progress) = node.progress.filter(|it| it.total > 0) else {
                continue;
            };
            if node.status.is_final() {
                continue;
            }
            let bar = self.bars.entry(path.clone()).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new(progress.total));
                bar.set_style(style("{wide_bar} {pos} of {len}  {msg}"));
                bar.set_message(path.clone());
                bar
            });
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            seen.push(path);
        }
        self.bars.retain(|path, bar| {
            let stays = seen.contains(path);
            if !stays {
                bar.finish_and_clear();
            }
            stays
        });
    }

    fn clear(self) {
        // What is left on the screen does no harm.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The lines of a tree that fit on the screen: what is over is left out first, the oldest first.
fn fitting(tree: &str, room: usize) -> String {
    let lines: Vec<&str> = tree.lines().collect();
    let mut left = lines.len().saturating_sub(room);
    if left == 0 {
        return tree.to_owned();
    }
    left += 1;
    let told = format!("… {left} lines are left out");
    let is_over = |line: &str| {
        let mark = line.trim_start_matches(['│', '├', '└', '─', ' ']);
        mark.starts_with(['✓', '↺', '-'])
    };
    let mut kept = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 && left > 0 && is_over(line) {
            left -= 1;
        } else {
            kept.push(*line);
        }
    }
    // None of these is over: the first of them are left out.
    let from = 1.min(kept.len());
    kept.drain(from..from + left.min(kept.len() - from));
    kept.push(&told);
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_tree_that_is_too_long_loses_what_is_over_first() {
        let tree = "▸ f\n├─ ✓ a\n├─ ✓ b\n├─ ▸ c\n└─ ◷ d";
        assert_eq!(fitting(tree, 5), tree);
        assert_eq!(
            fitting(tree, 4),
            "▸ f\n├─ ▸ c\n└─ ◷ d\n… 2 lines are left out"
        );
        assert_eq!(fitting(tree, 2), "▸ f\n… 4 lines are left out");
    }
}
