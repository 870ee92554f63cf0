//! Whether a value that is to be recorded can be read back from its record, and what it then is.
//!
//! What later lines, the undo and the code after `steps!` are given is what is read back here, so
//! that a resume changes nothing. What can't be read back, or reads back as something else, is an
//! error where it is recorded: later it would be one at each resume.

use std::{any::TypeId, fmt, io};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Error;

use super::{
    error::caught,
    json::{
        self, Json,
        compare::{difference, same_in_any_order, short},
    },
    nulls::{Null, nulls},
};

/// Whether a `T` is known to read back as itself, of what stands in `text`.
pub(crate) fn is_plain<T: 'static>(text: &str) -> bool {
    let is = |all: &[TypeId]| all.contains(&TypeId::of::<T>());
    is(&[
        TypeId::of::<()>(),
        TypeId::of::<bool>(),
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<u128>(),
        TypeId::of::<usize>(),
        TypeId::of::<i8>(),
        TypeId::of::<i16>(),
        TypeId::of::<i32>(),
        TypeId::of::<i64>(),
        TypeId::of::<i128>(),
        TypeId::of::<isize>(),
        TypeId::of::<char>(),
        TypeId::of::<String>(),
        TypeId::of::<Option<String>>(),
        TypeId::of::<Vec<String>>(),
    ]) || is(&[TypeId::of::<f64>(), TypeId::of::<f32>()]) && !text.contains("null")
}

/// Reads `text`, which `value` was written as.
///
/// # Errors
///
/// Where it can't be read, or where it can be told that it is not the same value: it is written in
/// another way, or has a `null` where `value` had something else.
pub(crate) fn read_back<V, T>(value: &V, text: &str) -> Result<T, Error>
where
    V: Serialize + ?Sized,
    T: Serialize + DeserializeOwned,
{
    let has_nulls = text.contains("null");
    let written = || if has_nulls { nulls(value) } else { Vec::new() };
    let read: T = json::read(text).map_err(|error| unreadable::<T>(text, &error, &written()))?;
    if has_nulls {
        let (given, read) = (written(), nulls(&read));
        if given != read {
            return Err(ambiguous::<T>(text, &given, &read));
        }
    }
    let mut rest = Rest(Some(text.as_bytes()));
    serde_json::to_writer(&mut rest, &read)?;
    if rest.0 != Some(b"") {
        let again = Json::encode(&read)?;
        if !same_in_any_order(text, again.get()) {
            return Err(changed::<T>(text, again.get()));
        }
    }
    Ok(read)
}

/// [`read_back`] of a value that is recorded by itself: `None` where it is known to be the same.
pub(crate) fn read_back_or_same<T>(value: &T, text: &str) -> Result<Option<T>, Error>
where
    T: Serialize + DeserializeOwned + 'static,
{
    if is_plain::<T>(text) {
        return Ok(None);
    }
    read_back(value, text).map(Some)
}

/// The JSON of a value that can be read back. A panic in the user's `Serialize` or `Deserialize` is
/// an error.
pub(crate) fn record<T>(value: &T) -> Result<Json, Error>
where
    T: Serialize + DeserializeOwned + 'static,
{
    caught(|| {
        let json = Json::encode(value)?;
        read_back_or_same(value, json.get())?;
        Ok(json)
    })
}

/// The JSON of a value that is read back as what is not known here: all that can be told is that
/// JSON has no such number.
pub(crate) fn record_unread<T: Serialize + ?Sized>(value: &T) -> Result<Json, Error> {
    caught(|| {
        let json = Json::encode(value)?;
        if json.get().contains("null")
            && nulls(value).iter().any(|(null, _)| *null == Null::NoNumber)
        {
            return Err(error(format_args!(
                "NaN or an infinity is written as `null`, in {}{}",
                short(json.get()),
                hint(&[(Null::NoNumber, 0)])
            )));
        }
        Ok(json)
    })
}

/// Compares what is written with what is expected.
struct Rest<'a>(Option<&'a [u8]>);

impl io::Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.and_then(|rest| rest.strip_prefix(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn error(text: fmt::Arguments<'_>) -> Error {
    serde::ser::Error::custom(text)
}

fn unreadable<T>(text: &str, why: &Error, nulls: &[(Null, u32)]) -> Error {
    error(format_args!(
        "`{}` is written as {}, which can't be read back: {why}{}",
        type_name::<T>(),
        short(text),
        hint(nulls)
    ))
}

fn changed<T>(given: &str, read: &str) -> Error {
    let name = type_name::<T>();
    let Some(found) = difference(given, read) else {
        return error(format_args!(
            "`{name}` reads back as another value than was written"
        ));
    };
    let place = match found.path.as_str() {
        "" => String::new(),
        path => format!(" in `{path}`"),
    };
    let [first, second] =
        [found.first, found.second].map(|side| side.map_or_else(|| "nothing".to_owned(), short));
    error(format_args!(
        "`{name}` does not survive JSON: it gives {first}{place}, but reads back as {second}"
    ))
}

fn ambiguous<T>(text: &str, given: &[(Null, u32)], read: &[(Null, u32)]) -> Error {
    // Both are sorted, so what is only in the first is found by taking the second's away.
    let mut lost = given.to_vec();
    for null in read {
        if let Some(index) = lost.iter().position(|other| other == null) {
            lost.remove(index);
        }
    }
    let what = match lost.first() {
        Some((Null::NoNumber, _)) => "NaN or an infinity".to_owned(),
        Some((null, some)) => {
            let inside = if *null == Null::None { "None" } else { "()" };
            let some = *some as usize;
            format!("{}{inside}{}", "Some(".repeat(some), ")".repeat(some))
        }
        None => "what is no `None`".to_owned(),
    };
    error(format_args!(
        "`{}` does not survive JSON: {what} is written as `null`, which reads back as something \
         else, in {}{}",
        type_name::<T>(),
        short(text),
        hint(&lost)
    ))
}

fn hint(nulls: &[(Null, u32)]) -> &'static str {
    if nulls.iter().any(|(null, _)| *null == Null::NoNumber) {
        " (JSON has no NaN and no infinity)"
    } else {
        ""
    }
}

/// A type's name without the modules.
fn type_name<T: ?Sized>() -> String {
    let whole = std::any::type_name::<T>();
    let mut name = String::with_capacity(whole.len());
    let mut path = 0;
    for (index, part) in whole.match_indices(|c: char| !c.is_alphanumeric() && c != '_') {
        // What stands before `::` is a module, or a type that something belongs to.
        name.push_str(&whole[path..index]);
        path = index + part.len();
        if part != ":" {
            name.push_str(part);
        } else if whole[..index].ends_with(':') {
            let start = name.rfind(|c: char| !c.is_alphanumeric() && c != '_');
            name.truncate(start.map_or(0, |start| start + 1));
        }
    }
    name.push_str(&whole[path..]);
    name
}

#[cfg(test)]
mod tests;
