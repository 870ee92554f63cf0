//! One request: who makes it, and where the page is nested.

use axum::{
    extract::{OriginalUri, Request},
    http::uri::PathAndQuery,
};
use steps::engine::Operator;

/// Who makes a request, and where the page is.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// What stands before each path of the page; empty at the root.
    pub(crate) base: String,
    /// The name that is recorded.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Whether the page can be left: whether it has a login of its own.
    pub(crate) login: Login,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Operator,
    Reader,
    /// Reports on external tasks, and does nothing else.
    Reporter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Own,
    Elsewhere,
}

impl Visit {
    pub(crate) fn may_act(&self) -> bool {
        self.role == Role::Operator
    }

    /// Who is recorded with what is done, and why.
    pub(crate) fn operator(&self, reason: &str) -> Operator {
        Operator::new(&self.name).reason(reason)
    }

    /// The path of a page, such as `/statistics`. A nested router has no `/` of its own.
    pub(crate) fn path(&self, inner: &str) -> String {
        if inner == "/" && !self.base.is_empty() {
            return self.base.clone();
        }
        format!("{}{inner}", self.base)
    }

    /// The path of a page with a query.
    pub(crate) fn to(&self, inner: &str, query: &[(&str, &str)]) -> String {
        let mut path = self.path(inner);
        for (index, (name, value)) in query.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(name);
            path.push('=');
            path.push_str(&encoded(value));
        }
        path
    }
}

/// A text as it stands in a path or a query: all but letters, digits and `-_.~` is encoded.
pub(crate) fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

/// What stands before the page's own paths: where the router is nested.
pub(crate) fn base_of(request: &Request, prefix: &str) -> String {
    let whole = request.extensions().get::<OriginalUri>();
    let whole = whole.map_or(request.uri().path(), |original| original.0.path());
    let inner = request.uri().path();
    let base = whole.strip_suffix(inner).unwrap_or(whole);
    format!("{prefix}{}", base.trim_end_matches('/'))
}

/// The path of a request inside of the page, with its query, if one may be sent back there: no text
/// that a browser could take for another site.
pub(crate) fn is_inside(path: &str) -> bool {
    let mut letters = path.chars();
    letters.next() == Some('/')
        && !matches!(letters.next(), Some('/' | '\\'))
        && !path.contains('\\')
        && path.parse::<PathAndQuery>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{encoded, is_inside};

    #[test]
    fn only_paths_of_this_page_are_inside() {
        for path in ["/", "/execution?id=a%2Fb", "/executions?q=a,b"] {
            assert!(is_inside(path), "{path}");
        }
        for path in [
            "",
            "x",
            "//evil",
            "/\\evil",
            "https://evil",
            "/a\nb",
            "/a b",
            "/\t/evil",
        ] {
            assert!(!is_inside(path), "{path}");
        }
    }

    #[test]
    fn what_has_a_meaning_in_an_address_is_encoded() {
        assert_eq!(
            encoded("a/b?c=d&e#f é.."),
            "a%2Fb%3Fc%3Dd%26e%23f%20%C3%A9.."
        );
    }
}
