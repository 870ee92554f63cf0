//! Paths of nodes, such as `preFlight.chkNetwork`: the names from the child of the root down to the
//! node, separated by dots. The root's own path is empty.
//!
//! A name may contain any text, so four things are escaped: a dot within a name is written `\.`, a
//! backslash `\\`, an empty name `\e`, and a name that is only a star `\*`. Nothing else is escaped,
//! not even a space. Where a path may stand for several nodes, a `*` that is not escaped stands for
//! any key of a `for` or round of a `loop`.
//!
//! ```
//! use steps::state::path;
//!
//! let text = path::join(["hosts", "10.0.0.4", "initialize CVM"]);
//! assert_eq!(text, r"hosts.10\.0\.0\.4.initialize CVM");
//! assert_eq!(path::split(&text).collect::<Vec<_>>(), ["hosts", "10.0.0.4", "initialize CVM"]);
//! ```

use std::borrow::Cow;

/// Returns the path made of these names.
pub fn join<I>(names: I) -> String
where
    I: IntoIterator<Item: AsRef<str>>,
{
    let mut path = String::new();
    for name in names {
        push(&mut path, name.as_ref());
    }
    path
}

/// Appends one name to `path`.
pub fn push(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    match name {
        "" => return path.push_str("\\e"),
        "*" => return path.push_str("\\*"),
        _ => {}
    }
    for part in name.split_inclusive(['.', '\\']) {
        match part.as_bytes().last() {
            Some(b'.' | b'\\') => {
                let (before, special) = part.split_at(part.len() - 1);
                path.push_str(before);
                path.push('\\');
                path.push_str(special);
            }
            _ => path.push_str(part),
        }
    }
}

/// Returns the names in `path`, with the escapes resolved. The root's path has none.
///
/// Any text can be split: two dots in a row enclose an empty name, a backslash before any other
/// character stands for that character, and a backslash at the end stands for itself.
pub fn split(path: &str) -> Names<'_> {
    Names {
        rest: (!path.is_empty()).then_some(path),
    }
}

/// The names of a path, from [`split`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Names<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Names<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest?;
        let plain = rest.find(['.', '\\']).unwrap_or(rest.len());
        if rest.as_bytes().get(plain) != Some(&b'\\') {
            self.rest = rest.get(plain + 1..);
            return Some(Cow::Borrowed(&rest[..plain]));
        }
        let mut name = rest[..plain].to_owned();
        let mut chars = rest[plain..].chars();
        self.rest = loop {
            match chars.next() {
                None => break None,
                Some('.') => break Some(chars.as_str()),
                Some('\\') => match chars.next() {
                    Some('e') => {}
                    Some(escaped) => name.push(escaped),
                    None => name.push('\\'),
                },
                Some(plain) => name.push(plain),
            }
        };
        Some(Cow::Owned(name))
    }
}

/// Returns the names in a path that may stand for several nodes; `None` is a `*`, any name.
pub(crate) fn pattern(path: &str) -> impl Iterator<Item = Option<Cow<'_, str>>> {
    let mut names = split(path);
    std::iter::from_fn(move || {
        let is_any = names
            .rest
            .is_some_and(|rest| rest == "*" || rest.starts_with("*."));
        let name = names.next()?;
        Some((!is_any).then_some(name))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{join, pattern, split};

    #[test]
    fn escapes_only_what_must_be() {
        assert_eq!(join(["a b", "c.d", "e\\", "", "é"]), r"a b.c\.d.e\\.\e.é");
        assert_eq!(join([""; 0]), "");
        assert_eq!(join(["*", "a*", "**"]), r"\*.a*.**");
    }

    #[test]
    fn a_star_alone_stands_for_any_name() {
        let names = |path| {
            let names = pattern(path).map(|name| name.map(std::borrow::Cow::into_owned));
            names.collect::<Vec<_>>()
        };
        let (any, is) = (None, |name: &str| Some(name.to_owned()));
        assert_eq!(names("*.a.*"), [any.clone(), is("a"), any]);
        assert_eq!(names(r"\*.a*.**"), [is("*"), is("a*"), is("**")]);
        assert_eq!(names(""), []);
    }

    #[test]
    fn splits_what_nobody_joined() {
        for (path, names) in [
            ("", &[][..]),
            (".", &["", ""]),
            ("a..b", &["a", "", "b"]),
            (r"a\", &["a\\"]),
            (r"\x\é", &["xé"]),
        ] {
            assert_eq!(split(path).collect::<Vec<_>>(), names, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_was_joined_splits_into_the_same_names(
            names in prop::collection::vec(r"[ab.\\e é*]{0,5}", 0..5),
        ) {
            let path = join(&names);
            prop_assert_eq!(split(&path).collect::<Vec<_>>(), names);
        }

        #[test]
        fn any_text_splits(path in ".*") {
            let _ = split(&path).count();
        }
    }
}
