//! Settings from a URL such as `sqlite:steps.db?synchronous=normal`.

use std::borrow::Cow;

use steps_core::{
    AsDuration,
    store::{ErrorKind, StoreError},
};

use super::options::{SqliteOptions, Synchronous};

const KNOWN: &str = "`synchronous` (`full` or `normal`), `busy_timeout` (such as `5s` or `200ms`), \
    `checkpoint` (pages), `readers` (connections), `max_pages`";

impl SqliteOptions {
    /// Reads a URL: `sqlite:steps.db`, `sqlite:/var/lib/job/steps.db`,
    /// `sqlite:steps.db?synchronous=normal`. Text without `sqlite:` is a path.
    ///
    /// Settings follow after `?`, separated by `&`: `synchronous=full` or `normal`,
    /// `busy_timeout=5s` (as [`AsDuration`](steps_core::AsDuration) reads it), `checkpoint=4000`, `readers=2`, `max_pages=262144`. In the
    /// path of a URL, `%20` is a space, as in other URLs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](steps_core::store::ErrorKind::Rejected) for a setting that does not
    /// exist, with the list of those that do, and for a database in memory.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        parse(url)
    }
}

fn parse(url: &str) -> Result<SqliteOptions, StoreError> {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        if let Some((scheme, _)) = url.split_once("://") {
            return Err(wrong(
                url,
                &format!("this is the SQLite store, and does not know `{scheme}:`"),
            ));
        }
        return at(url, url);
    };
    let (path, settings) = match rest.split_once('?') {
        Some((path, settings)) => (path, settings),
        None => (rest, ""),
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut options = at(url, &decoded(url, path)?)?;
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        options = apply(options, url, name, value)?;
    }
    Ok(options)
}

fn at(url: &str, path: &str) -> Result<SqliteOptions, StoreError> {
    match path {
        "" => Err(wrong(url, "it names no file: write `sqlite:steps.db`")),
        ":memory:" => Err(wrong(
            url,
            "a database in memory is lost with the process; use `MemoryStore` for that, or name a \
             file",
        )),
        path => Ok(SqliteOptions::new(path)),
    }
}

fn apply(
    options: SqliteOptions,
    url: &str,
    name: &str,
    value: &str,
) -> Result<SqliteOptions, StoreError> {
    let bad = || wrong(url, &format!("`{name}={value}`: the settings are {KNOWN}"));
    let number = |least: u32| {
        let number = value.parse().ok().filter(|number| *number >= least);
        number.ok_or_else(bad)
    };
    Ok(match name {
        "synchronous" => match value.to_ascii_lowercase().as_str() {
            "full" => options.synchronous(Synchronous::Full),
            "normal" => options.synchronous(Synchronous::Normal),
            _ => return Err(bad()),
        },
        "busy_timeout" => options.busy_timeout(value.as_duration().map_err(|_| bad())?),
        "checkpoint" => options.checkpoint(number(1)?),
        "readers" => options.readers(usize::try_from(number(1)?).map_err(|_| bad())?),
        "max_pages" => options.max_pages(number(1)?),
        "mode" if value == "memory" => return at(url, ":memory:"),
        _ => return Err(bad()),
    })
}

/// Decodes `%20` and the like in a path.
fn decoded<'a>(url: &str, path: &'a str) -> Result<Cow<'a, str>, StoreError> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let byte = high
            .zip(low)
            .and_then(|(h, l)| u8::try_from(16 * h + l).ok());
        bytes.push(byte.ok_or_else(|| {
            wrong(
                url,
                "after `%` stand two hexadecimal digits; `%` itself is `%25`",
            )
        })?);
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| wrong(url, "the path is no UTF-8"))
}

fn wrong(url: &str, why: &str) -> StoreError {
    StoreError::new(ErrorKind::Rejected, format!("{url:?}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(url: &str) -> String {
        let error = parse(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        error.to_string()
    }

    #[test]
    fn paths() {
        for (url, path) in [
            ("sqlite:steps.db", "steps.db"),
            ("sqlite://steps.db", "steps.db"),
            ("sqlite:///var/steps.db", "/var/steps.db"),
            ("sqlite:/var/my%20steps.db?readers=1", "/var/my steps.db"),
            ("steps.db", "steps.db"),
            ("100%.db", "100%.db"),
        ] {
            assert_eq!(parse(url).unwrap().path().to_str(), Some(path), "{url}");
        }
    }

    #[test]
    fn settings() {
        let options = parse(
            "sqlite:a.db?synchronous=NORMAL&busy_timeout=200ms&checkpoint=10&readers=3&max_pages=9",
        )
        .unwrap();
        assert_eq!(options.synchronous, Synchronous::Normal);
        assert_eq!(options.busy_timeout, Duration::from_millis(200));
        assert_eq!(options.checkpoint, 10);
        assert_eq!(options.readers, 3);
        assert_eq!(options.max_pages, Some(9));
    }

    #[test]
    fn mistakes_name_what_is_known() {
        for url in [
            "sqlite:a.db?cache=shared",
            "sqlite:a.db?synchronous=off",
            "sqlite:a.db?busy_timeout=5",
            "sqlite:a.db?readers=0",
            "sqlite:a.db?checkpoint",
        ] {
            let message = message(url);
            assert!(message.contains("`busy_timeout`"), "{message}");
            assert!(message.contains(url), "{message}");
        }
        for url in ["sqlite::memory:", ":memory:", "sqlite:a.db?mode=memory"] {
            assert!(message(url).contains("MemoryStore"), "{url}");
        }
        assert!(message("sqlite:").contains("names no file"));
        assert!(message("postgres://localhost/a").contains("postgres"));
        assert!(message("sqlite:a%2.db").contains("hexadecimal"));
    }
}
