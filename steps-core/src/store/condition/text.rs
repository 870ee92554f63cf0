//! The fields and their conditions as text, and back. Which keys there are beyond the fields is left to
//! the filter, and what a line is made of to `line`.

use std::{fmt, ops::Range, str::FromStr};

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::{
    Column, Condition, Field, Kind, Test, Value,
    line::{Reader, Said, Word, items},
};
use crate::model::{attrs::path::write_quoted, status::Status};

/// The names of a column in a query: its own first.
fn names(column: Column) -> &'static [&'static str] {
    match column {
        Column::Id => &["id"],
        Column::Flow => &["flow"],
        Column::Status => &["status"],
        Column::Trigger => &["trigger"],
        Column::StatusMessage => &["status_message", "message"],
        Column::Error => &["error"],
        Column::Worker => &["worker"],
        Column::Priority => &["priority"],
        Column::Created => &["created", "created_at", "create_time"],
        Column::Started => &["started", "started_at", "start_time"],
        Column::Updated => &["updated", "updated_at", "update_time"],
        Column::Ended => &["ended", "ended_at", "end_time", "done_at"],
    }
}

/// Returns a name with `_` for capital letters: `StatusMessage` is `status_message`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() && !text.ends_with('_') {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Returns the column of this name.
pub(crate) fn column(name: &str) -> Option<Column> {
    let name = snake(name);
    Column::ALL
        .into_iter()
        .find(|column| names(*column).contains(&&*name))
}

/// Returns the field of this key; `None` if there is none.
pub(crate) fn field(key: &str) -> Result<Option<Field>, String> {
    let Some((first, rest)) = key.split_once('.') else {
        return Ok(column(key).map(Field::Column));
    };
    Ok(match &*snake(first) {
        "label" | "labels" => {
            let mut reader = Reader { rest };
            let name = reader.word(&[])?.filter(|_| reader.rest.is_empty());
            let name = name.ok_or_else(|| format!("`{key}` has no name of a label"))?;
            Some(Field::Label(name.text))
        }
        "attr" | "attrs" | "extra_attrs" => Some(Field::Attr(rest.parse()?)),
        _ => None,
    })
}

/// Returns what is demanded of a field.
pub(crate) fn test(field: &Field, key: &str, said: Said) -> Result<Test, String> {
    let kind = field.kind();
    let value = |word: Word| value(field, key, word);
    match said {
        said if kind == Kind::Time => Ok(during(&times(key, said)?)),
        Said::Word(word) => Ok(Test::AnyOf(vec![value(word)?])),
        Said::List(words) => words
            .into_iter()
            .map(value)
            .collect::<Result<_, _>>()
            .map(Test::AnyOf),
        Said::Fuzzy(_) if kind == Kind::Number => Err(format!(
            "`{key}` is a number, which has no text to look for"
        )),
        Said::Fuzzy(word) if word.text.is_empty() => {
            Err(format!("`{key}=~\"\"` has nothing to look for"))
        }
        Said::Fuzzy(word) => Ok(Test::Contains(word.text)),
        Said::Range(..) if *field == Field::Column(Column::Status) => {
            Err("a status has no order; `status={a b}` is any of them".to_owned())
        }
        Said::Range(from, to) => {
            let (from, to) = (from.map(value).transpose()?, to.map(value).transpose()?);
            if let (Some(from), Some(to)) = (&from, &to) {
                if !from.is_at_most(to) && !to.is_at_most(from) {
                    return Err(format!(
                        "the ends of the range of `{key}` are of different kinds"
                    ));
                }
                if !from.is_at_most(to) {
                    return Err(format!("the range of `{key}` ends before it begins"));
                }
            }
            let ends = [&from, &to].into_iter().flatten();
            if ends
                .into_iter()
                .any(|end| matches!(end, Value::Null | Value::Bool(_)))
            {
                return Err(format!(
                    "the ends of the range of `{key}` are numbers or texts"
                ));
            }
            Ok(Test::Within { from, to })
        }
    }
}

fn value(field: &Field, key: &str, word: Word) -> Result<Value, String> {
    let Word { text, is_quoted } = word;
    match field.kind() {
        Kind::Number => {
            let number = text
                .parse()
                .map_err(|_| format!("`{key}` is a number, and `{text}` is none"))?;
            Ok(Value::Number(number))
        }
        Kind::Any if !is_quoted => Ok(Value::of_json(&text)
            .filter(|value| !matches!(value, Value::Text(_)))
            .unwrap_or(Value::Text(text))),
        _ if *field == Field::Column(Column::Status) && Status::from_name(&text).is_none() => {
            let all = Status::ALL.map(Status::as_str).join(", ");
            Err(format!("`{text}` is no status: {all}"))
        }
        _ => Ok(Value::Text(text)),
    }
}

/// Returns the times that are meant: from the start on, and before the end.
pub(crate) fn times(key: &str, said: Said) -> Result<Range<Timestamp>, String> {
    let range = match said {
        Said::Word(word) => time(key, &word)?,
        Said::Range(from, to) => {
            let from = from.map(|word| time(key, &word)).transpose()?;
            let to = to.map(|word| time(key, &word)).transpose()?;
            let start = from.map_or(Timestamp::MIN, |from| from.start);
            start..to.map_or(Timestamp::MAX, |to| to.end)
        }
        Said::Fuzzy(_) | Said::List(_) => {
            return Err(format!(
                "`{key}` is a time: `{key}=2026-01-31` is that day, and `{key}=[from~to]` a range"
            ));
        }
    };
    if range.start >= range.end {
        return Err(format!("the range of `{key}` ends before it begins"));
    }
    Ok(range)
}

/// Returns a day, or a moment.
fn time(key: &str, word: &Word) -> Result<Range<Timestamp>, String> {
    let text = word.text.trim();
    let utc = |time: civil::DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let is_date = text.len() == 10;
    let range = if is_date {
        text.parse::<civil::Date>().ok().and_then(|date| {
            let end = date
                .tomorrow()
                .ok()
                .and_then(|next| utc(next.at(0, 0, 0, 0)));
            Some(utc(date.at(0, 0, 0, 0))?..end.unwrap_or(Timestamp::MAX))
        })
    } else {
        let moment = text.parse::<Timestamp>().ok();
        let moment = moment.or_else(|| text.parse::<civil::DateTime>().ok().and_then(utc));
        moment.map(|moment| moment..after(moment))
    };
    range.ok_or_else(|| {
        format!(
            "`{key}` is a time such as 2026-01-31 or 2026-01-31T18:30:00Z, which is UTC where no zone \
             is given; `{text}` is none"
        )
    })
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);

fn after(time: Timestamp) -> Timestamp {
    time.checked_add(NANO).unwrap_or(Timestamp::MAX)
}

/// Returns what is demanded of a time in this range: from its start on, and before its end.
pub(crate) fn during(range: &Range<Timestamp>) -> Test {
    Test::Within {
        from: (range.start > Timestamp::MIN).then_some(Value::Time(range.start)),
        to: (range.end < Timestamp::MAX).then(|| Value::Time(before(range.end))),
    }
}

/// The moment before an end that is excluded.
pub(crate) fn before(time: Timestamp) -> Timestamp {
    time.checked_sub(NANO).unwrap_or(Timestamp::MIN)
}

/// Writes a text as a word.
pub(crate) fn write_word(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-.:/@+".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return f.write_str(text);
    }
    write_quoted(f, text)
}

impl fmt::Display for Value {
    /// Writes the value as it stands in the text of a query, of an attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(is) => write!(f, "{is}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Text(text) => match Self::of_json(text) {
                Some(_) if !text.starts_with('"') => write!(f, "\"{text}\""),
                _ => write_word(f, text),
            },
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => write!(f, "{column}"),
            Self::Label(name) => {
                f.write_str("label.")?;
                write_word(f, name)
            }
            Self::Attr(path) => write!(f, "attrs.{path}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.field)?;
        match &self.test {
            Test::AnyOf(all) if all.len() == 1 => write!(f, "{}", all[0]),
            Test::AnyOf(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                write!(f, "{{{}}}", all.join(" "))
            }
            Test::Within { from, to } => {
                let end = |end: &Option<Value>| end.as_ref().map(ToString::to_string);
                let [from, to] = [from, to].map(|it| end(it).unwrap_or_default());
                write!(f, "[{from}~{to}]")
            }
            Test::Contains(text) => {
                f.write_str("~")?;
                write_word(f, text)
            }
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut items = items(text)?;
        let (Some((key, said)), true) = (items.pop(), items.is_empty()) else {
            return Err("this is not one condition".to_owned());
        };
        let field = field(&key)?.ok_or_else(|| format!("`{key}` is no field"))?;
        Ok(Self {
            test: test(&field, &key, said)?,
            field,
        })
    }
}
