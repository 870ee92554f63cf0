//! Asking before something that can't be taken back, or that concerns many executions.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::{Code, Error};

/// Asks whether to do this, unless `yes` was said before.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::usage(format!(
            "{question} It can't be asked here, as this is no terminal: say --yes"
        )));
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::new(
            Code::Refused,
            "not confirmed: nothing was changed",
        )),
    }
}
