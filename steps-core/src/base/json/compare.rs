//! Whether two JSON texts say the same, without loss: numbers are compared as they are written, so
//! that none is too large, whatever features of `serde_json` another crate switches on.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Below this many levels, values are compared as text.
const DEPTH: usize = 128;

/// One level of a JSON text.
enum Level<'a> {
    Object(Fields<'a>),
    List(Vec<&'a RawValue>),
    Text(String),
    /// A number, a word, or what is below [`DEPTH`].
    Other(&'a str),
}

fn level(text: &str, depth: usize) -> Level<'_> {
    let text = text.trim_ascii();
    if depth > DEPTH {
        return Level::Other(text);
    }
    let read = match text.as_bytes().first() {
        Some(b'{') => serde_json::from_str(text).map(Level::Object),
        Some(b'[') => serde_json::from_str(text).map(Level::List),
        Some(b'"') => serde_json::from_str(text).map(Level::Text),
        _ => Ok(Level::Other(text)),
    };
    read.unwrap_or(Level::Other(text))
}

/// Where two texts differ.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference<'a> {
    /// Where: `spec.hosts[2]`; empty for the whole.
    pub(crate) path: String,
    /// What stands there in the first; `None` where there is no such field.
    pub(crate) first: Option<&'a str>,
    /// What stands there in the second.
    pub(crate) second: Option<&'a str>,
    /// It is a list of the same items in another order.
    pub(crate) is_order: bool,
}

impl Difference<'_> {
    /// The same, seen from one level above.
    fn below(mut self, name: &str) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, name);
        self
    }
}

/// The first difference of two texts, whatever their spaces and the order of their fields.
pub(crate) fn difference<'a>(first: &'a str, second: &'a str) -> Option<Difference<'a>> {
    find(first, second, 0)
}

fn find<'a>(first: &'a str, second: &'a str, depth: usize) -> Option<Difference<'a>> {
    if first == second {
        return None;
    }
    let whole = |is_order| Difference {
        path: String::new(),
        first: Some(first),
        second: Some(second),
        is_order,
    };
    match (level(first, depth), level(second, depth)) {
        (Level::Object(a), Level::Object(b)) => fields(&a, &b, depth + 1),
        (Level::List(a), Level::List(b)) if a.len() == b.len() => {
            let items = a.iter().zip(&b).enumerate();
            let found = items.into_iter().find_map(|(index, (a, b))| {
                let found = find(a.get(), b.get(), depth + 1)?;
                Some(found.below(&format!("[{index}]")))
            })?;
            let is_order = !found.is_order
                && bytes(first) == bytes(second)
                && same_in_any_order(first, second);
            Some(if is_order { whole(true) } else { found })
        }
        (Level::Text(a), Level::Text(b)) if a == b => None,
        (Level::Other(a), Level::Other(b)) if a == b => None,
        _ => Some(whole(false)),
    }
}

/// How often each byte occurs: another order changes nothing in it, and it is cheaper than to sort.
fn bytes(text: &str) -> [usize; 256] {
    let mut counts = [0; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    counts
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn fields<'a>(first: &Fields<'a>, second: &Fields<'a>, depth: usize) -> Option<Difference<'a>> {
    let names = first.keys().chain(second.keys());
    names.into_iter().find_map(|name| {
        let (a, b) = (first.get(name), second.get(name));
        if let (Some(a), Some(b)) = (a, b) {
            return find(a.get(), b.get(), depth).map(|found| found.below(name));
        }
        Some(Difference {
            path: name.clone(),
            first: a.map(|value| value.get()),
            second: b.map(|value| value.get()),
            is_order: false,
        })
    })
}

/// Whether two texts say the same, whatever their spaces and the order of their fields.
pub(crate) fn same(first: &str, second: &str) -> bool {
    difference(first, second).is_none()
}

/// The same, whatever the order of their lists besides: a set may be written in any.
pub(crate) fn same_in_any_order(first: &str, second: &str) -> bool {
    first == second || sorted(first, 0) == sorted(second, 0)
}

/// A JSON text for an error's: cut where it is long.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    if text.len() <= LONGEST {
        return format!("`{text}`");
    }
    let end = text.floor_char_boundary(LONGEST);
    format!("`{}…` ({} bytes)", &text[..end], text.len())
}

/// In which field an input differs from the saved one, for an error.
pub(crate) fn tell_other(saved: &str, given: &str) -> String {
    let Some(found) = difference(saved, given) else {
        return "it reads back as another".to_owned();
    };
    let name = match found.path.as_str() {
        "" => "it".to_owned(),
        path => format!("`{path}`"),
    };
    match (found.first, found.second) {
        (Some(_), Some(_)) if found.is_order => format!(
            "{name} has the same items in another order; as a `BTreeSet` a set is always in the \
             same"
        ),
        (Some(saved), Some(given)) => {
            format!("{name} was {}, and is now {}", short(saved), short(given))
        }
        (Some(saved), None) => format!("{name} was {}, and is not there now", short(saved)),
        (None, given) => format!(
            "{name} was not there, and is now {}",
            short(given.unwrap_or_default())
        ),
    }
}

/// The text with its lists and objects sorted, for comparison only.
fn sorted(text: &str, depth: usize) -> String {
    match level(text, depth) {
        Level::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| {
                let value = sorted(value.get(), depth + 1);
                format!("{name:?}:{value}")
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Level::List(items) => {
            let items = items.iter();
            let mut items: Vec<_> = items.map(|item| sorted(item.get(), depth + 1)).collect();
            items.sort_unstable();
            format!("[{}]", items.join(","))
        }
        Level::Text(text) => format!("{text:?}"),
        Level::Other(text) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
