//! Borrowed text in an `if let` or a `for`: kept as `String`s, as a resume reads them.

use super::{HeldOption, List, Source, Taken, read, record};
use crate::base::{error::StepError, json::Json};

impl<'a, F: FnOnce() -> Option<&'a str>> Source<F, Option<&'a str>, Option<&'a str>> {
    /// Perhaps text: kept as a `String`, as a resume reads it.
    pub fn look(mut self, saved: Option<&Json>) -> Taken<HeldOption<'static, String>> {
        if let Some(saved) = saved {
            return Ok((HeldOption::Own(read(saved)?), None));
        }
        let text = self.evaluate()?.map(str::to_owned);
        // Text reads back as it is.
        let (_, json) = record::<_, Option<String>>(&text, |_| true)?;
        Ok((HeldOption::Own(text), json))
    }
}

impl<'a, F, R> Source<F, R, &'a str>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a str>,
{
    /// Items that are text: kept as `String`s, as a resume reads them.
    pub fn list(mut self, saved: Option<&Json>) -> Taken<List<'static, String>> {
        texts(saved, || {
            Ok(self.evaluate()?.into_iter().map(str::to_owned).collect())
        })
    }
}

impl<'a, 'b, F, R> Source<F, R, &'a &'b str>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a &'b str>,
{
    /// Items that are text in a list that is borrowed.
    pub fn list(mut self, saved: Option<&Json>) -> Taken<List<'static, String>> {
        texts(saved, || {
            Ok(self
                .evaluate()?
                .into_iter()
                .map(|text| (*text).to_owned())
                .collect())
        })
    }
}

fn texts(
    saved: Option<&Json>,
    evaluate: impl FnOnce() -> Result<Vec<String>, StepError>,
) -> Taken<List<'static, String>> {
    if let Some(saved) = saved {
        return Ok((List::Own(read(saved)?), None));
    }
    let all = evaluate()?;
    let (_, json) = record::<_, Vec<String>>(&all, |_| true)?;
    Ok((List::Own(all), json))
}
