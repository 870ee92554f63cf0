//! The questions in a sample: comments of the form `/*? … */`, each right behind the place that it is
//! about.
//!
//! ```text
//! name/*? goto LABEL */    the definition of `name` is on the line with the comment `//@ LABEL`, and
//!                          nowhere else
//! name/*? hover TEXT */    what is shown of `name` contains the text
//! na/*? offers A B */      what may be written here: these names are among it
//! ```
//!
//! Several in one comment have a `;` between them.

use crate::Result;

/// A question about a place. Lines and columns count from 0.
#[derive(Debug, PartialEq)]
pub(super) struct Question {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) asks: Ask,
}

/// What is asked, and the right answer.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    /// The definition is on this line.
    Goto(usize),
    /// The text contains this.
    Hover(String),
    /// All of these are offered.
    Offers(Vec<String>),
}

/// Returns the questions in a sample.
pub(super) fn read(sample: &str) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (line, text) in sample.lines().enumerate() {
        for (column, _) in text.match_indices("/*?") {
            let rest = &text[column + 3..];
            let Some((list, _)) = rest.split_once("*/") else {
                return Err(format!("line {}: a question without an end", line + 1).into());
            };
            for ask in list.split(';') {
                let asks = parse(ask.trim(), sample)
                    .ok_or_else(|| format!("line {}: no question: `{ask}`", line + 1))?;
                questions.push(Question { line, column, asks });
            }
        }
    }
    Ok(questions)
}

fn parse(ask: &str, sample: &str) -> Option<Ask> {
    let (word, rest) = ask.split_once(' ').unwrap_or((ask, ""));
    match word {
        "goto" => {
            let label = format!("//@ {rest}");
            let mut lines = sample.lines();
            let line = lines.position(|line| line.trim_end().ends_with(&label))?;
            Some(Ask::Goto(line))
        }
        "hover" => Some(Ask::Hover(rest.to_owned())),
        "offers" => Some(Ask::Offers(
            rest.split_whitespace().map(str::to_owned).collect(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_about_what_stands_before_it() {
        let sample = "fn make() {} //@ make\nmake/*? goto make; hover fn make */();\n  ma/*? offers make main */";
        let found = read(sample).unwrap();
        let at = |line, column, asks| Question { line, column, asks };
        let names = vec!["make".to_owned(), "main".to_owned()];
        assert_eq!(
            found,
            [
                at(1, 4, Ask::Goto(0)),
                at(1, 4, Ask::Hover("fn make".to_owned())),
                at(2, 4, Ask::Offers(names)),
            ]
        );
    }

    #[test]
    fn what_is_no_question_is_an_error() {
        for wrong in ["a/*? goto nowhere */", "a/*? gone */", "a/*? hover"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
