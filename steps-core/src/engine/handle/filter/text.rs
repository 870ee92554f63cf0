//! A filter as text, and back: `status={failed stuck},started=[2026-01-01~],attrs.project=atlas`.

use std::{fmt, ops::Range, str::FromStr};

use jiff::Timestamp;

use super::Filter;
use crate::{
    model::status::Status,
    store::{
        Column, Condition, Direction, Field, Sort, Test, Value,
        condition::{
            line::{Said, items},
            text::{before, column, field, snake, test, times, write_word},
        },
    },
};

/// A text is no filter: what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFilter(String);

/// The keys that are no columns.
const OTHERS: &str = "label.NAME, attrs.PATH, incompatible, unfinished, sort, limit, after";

impl Filter {
    /// Reads a filter from one line of text: `key=value,key=value`, of which an execution meets all.
    /// Empty text is [all executions](Self::new).
    ///
    /// | value | means |
    /// |---|---|
    /// | `a` | is just that |
    /// | `~a` | contains that, whatever the case of ASCII letters; `%`, `_` and `\\` are letters like others |
    /// | `[a~b]`, `[a~]`, `[~b]` | is in that range, with both ends |
    /// | `{a b c}` | is one of these |
    ///
    /// | key | is |
    /// |---|---|
    /// | `id`, `flow`, `status`, `trigger`, `status_message`, `error`, `worker`, `priority` | that of the execution |
    /// | `created`, `started`, `updated`, `ended` | a time: a day, `2026-01-31`, or a moment, `2026-01-31T18:30:00`, in UTC if no zone is given. A day at the end of a range is in it |
    /// | `label.NAME` | a label |
    /// | `attrs.PATH` | an [attribute](crate::Attrs): `true`, `false`, `null` and numbers are these, and anything else, or in quotes, is a text. `null` is also one that is not there |
    /// | `incompatible`, `unfinished` | `true` or `false`: [`incompatible`](Self::incompatible), [`unfinished`](Self::unfinished), [`ended`](Self::ended) |
    /// | `sort` | columns, with `-` for the largest first: `-ended`, `{flow -started}` |
    /// | `limit`, `after` | [how many](Self::limit), and [after which place](Self::after) |
    ///
    /// A value with a comma, a bracket at its beginning, or a space in a list stands in quotes, in which
    /// `\\"` and `\\\\` are a quote and a backslash. Elsewhere, a backslash before its first letter
    /// takes the meaning from that. Each key may stand once.
    ///
    /// # Errors
    ///
    /// Returns an error that says what is wrong: of an unknown key, which keys there are.
    ///
    /// ```
    /// use steps::engine::Filter;
    ///
    /// let filter = Filter::parse("status={failed stuck},started=[2026-01-01~],attrs.project=atlas")?;
    /// assert_eq!(Filter::parse(&filter.to_string())?, filter);
    ///
    /// let error = Filter::parse("stauts=failed").unwrap_err().to_string();
    /// assert!(error.starts_with("there is no key `stauts`: id, flow, status"), "{error}");
    /// # Ok::<_, steps::engine::InvalidFilter>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidFilter> {
        let mut filter = Self::new();
        let mut seen: Vec<String> = Vec::new();
        for (key, said) in items(text).map_err(InvalidFilter)? {
            let name = canonical(&key).map_err(InvalidFilter)?;
            if seen.contains(&name) {
                return Err(InvalidFilter(format!(
                    "`{name}` stands twice; `{{a b}}` is any of several values"
                )));
            }
            filter = filter.with(&key, &name, said).map_err(InvalidFilter)?;
            seen.push(name);
        }
        Ok(filter)
    }

    /// Adds what one key says.
    fn with(mut self, key: &str, name: &str, said: Said) -> Result<Self, String> {
        match name {
            "incompatible" => self.query.refused = Some(is(key, said)?),
            "unfinished" => {
                self = if is(key, said)? {
                    self.unfinished()
                } else {
                    self.ended()
                }
            }
            "sort" => {
                for text in texts(key, said)? {
                    self.query.sort.push(sort(&text)?);
                }
            }
            "limit" => {
                let text = one(key, said)?;
                let limit = text
                    .parse()
                    .map_err(|_| format!("`limit` is a whole number, and `{text}` is none"))?;
                self = self.limit(limit);
            }
            "after" => {
                let text = one(key, said)?;
                let place = text.parse::<crate::store::Cursor>();
                self = self.after(place.map_err(|error| format!("`{text}` is {error}"))?);
            }
            _ => {
                let field = field(key)?.ok_or_else(|| unknown(key))?;
                self = self.demand(field, key, said)?;
            }
        }
        Ok(self)
    }

    /// Adds what is said of a field: to what an index answers, if it can.
    fn demand(mut self, field: Field, key: &str, said: Said) -> Result<Self, String> {
        match &field {
            Field::Column(Column::Created) => return Ok(self.created(times(key, said)?)),
            Field::Column(Column::Ended) => return Ok(self.ended_within(times(key, said)?)),
            _ => {}
        }
        let test = test(&field, key, said)?;
        match (&field, &test) {
            (Field::Column(Column::Id), Test::AnyOf(all)) if all.len() == 1 => {
                self.query.id = all.iter().find_map(text);
            }
            (Field::Column(Column::Flow), Test::AnyOf(all)) => {
                self.query.flows.extend(all.iter().filter_map(text));
            }
            (Field::Column(Column::Status), Test::AnyOf(all)) => {
                let all = all.iter().filter_map(text);
                let all = all.filter_map(|name| Status::from_name(&name));
                self.query.status.extend(all);
            }
            (Field::Column(Column::Status), Test::Contains(part)) => {
                let all = Status::ALL.into_iter();
                let part = part.to_ascii_lowercase();
                self.query.status = all
                    .filter(|status| {
                        status.as_str().contains(&part) && !super::is_of_nodes(*status)
                    })
                    .collect();
                if self.query.status.is_empty() {
                    return Err(format!("no status contains `{part}`"));
                }
            }
            (Field::Label(name), Test::AnyOf(all)) if all.len() == 1 => {
                let value = all.iter().find_map(text).unwrap_or_default();
                self = self.label(name.clone(), value);
            }
            _ => self.query.conditions.push(Condition { field, test }),
        }
        Ok(self)
    }
}

/// Returns the text of a key that stands once: of two names of one field, the same.
fn canonical(key: &str) -> Result<String, String> {
    if let Some(field) = field(key)? {
        return Ok(field.to_string());
    }
    let name = snake(key);
    match &*name {
        "incompatible" | "unfinished" | "sort" | "limit" | "after" => Ok(name),
        _ => Err(unknown(key)),
    }
}

fn unknown(key: &str) -> String {
    let columns = columns();
    format!("there is no key `{key}`: {columns}, {OTHERS} are keys")
}

fn columns() -> String {
    Column::ALL.map(Column::as_str).join(", ")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn texts(key: &str, said: Said) -> Result<Vec<String>, String> {
    match said {
        Said::Word(word) => Ok(vec![word.text]),
        Said::List(words) => Ok(words.into_iter().map(|word| word.text).collect()),
        Said::Fuzzy(_) | Said::Range(..) => Err(format!("`{key}` is neither a range nor a part")),
    }
}

fn one(key: &str, said: Said) -> Result<String, String> {
    let mut all = texts(key, said)?;
    match (all.pop(), all.is_empty()) {
        (Some(text), true) => Ok(text),
        _ => Err(format!("`{key}` has one value")),
    }
}

fn is(key: &str, said: Said) -> Result<bool, String> {
    let text = one(key, said)?;
    text.parse()
        .map_err(|_| format!("`{key}` is `true` or `false`, not `{text}`"))
}

fn sort(text: &str) -> Result<Sort, String> {
    let (name, direction) = match text.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (text, Direction::Ascending),
    };
    let column = column(name)
        .ok_or_else(|| format!("a list can't be sorted by `{name}`, but by {}", columns()))?;
    Ok(Sort { column, direction })
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        Self::parse(text)
    }
}

impl fmt::Display for Filter {
    /// Writes the text that [parses](Filter::parse) to the same filter, if it does not contradict itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = &self.query;
        let mut items: Vec<String> = Vec::new();
        items.extend(any("id", query.id.iter().map(|id| word(id))));
        items.extend(any("flow", query.flows.iter().map(|name| word(name))));
        let status = query.status.iter().map(|status| status.as_str().to_owned());
        items.extend(any("status", status));
        for (name, value) in &query.labels {
            items.push(format!("{}={}", Field::Label(name.clone()), word(value)));
        }
        items.extend(
            query
                .created
                .as_ref()
                .map(|range| times_of("created", range)),
        );
        items.extend(query.ended.as_ref().map(|range| times_of("ended", range)));
        items.extend(query.refused.map(|is| format!("incompatible={is}")));
        if self.unfinished.is_some() {
            items.push("unfinished=true".to_owned());
        } else if self.ended.is_some() && query.ended.is_none() {
            items.push("unfinished=false".to_owned());
        }
        items.extend(query.conditions.iter().map(ToString::to_string));
        let sort = query.sort.iter().map(|sort| {
            let minus = match sort.direction {
                Direction::Ascending => "",
                Direction::Descending => "-",
            };
            format!("{minus}{}", sort.column)
        });
        items.extend(any("sort", sort));
        items.extend(query.limit.map(|limit| format!("limit={limit}")));
        let after = query.after.as_ref();
        items.extend(after.map(|after| format!("after={}", word(&after.to_string()))));
        f.write_str(&items.join(","))
    }
}

/// Returns what is said of a key: one of these, if there are any.
fn any(key: &str, all: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = all.collect();
    match &all[..] {
        [] => None,
        [one] => Some(format!("{key}={one}")),
        _ => Some(format!("{key}={{{}}}", all.join(" "))),
    }
}

fn word(text: &str) -> String {
    let mut word = String::new();
    // Writing to a text does not fail.
    let _ = write_word(&mut word, text);
    word
}

fn times_of(key: &str, range: &Range<Timestamp>) -> String {
    let from =
        Some(range.start).filter(|start| *start > Timestamp::MIN || range.end == Timestamp::MAX);
    let to = Some(range.end).filter(|end| *end < Timestamp::MAX);
    let end = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    format!("{key}=[{}~{}]", end(from), end(to.map(before)))
}
