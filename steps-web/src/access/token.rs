//! Tokens, and the cookies that stand for them.
//!
//! A cookie has the name of the one who has logged in and the time of its end, signed with their token. So
//! it holds in all processes and after a restart, and no longer than the token itself.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, COOKIE},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::{Access, Inner};
use crate::{error::WebError, visit::Role};

/// The cookie's name.
const NAME: &str = "steps_session";

/// How long a login lasts, in seconds: 12 hours.
const LASTS: i64 = 12 * 60 * 60;

/// The shortest token, in bytes.
const LEAST: usize = 16;

/// Who may come in by which token.
#[derive(Default)]
pub(crate) struct Tokens {
    all: Vec<Token>,
    /// With what tokens are compared: made when they are checked.
    key: [u8; 16],
}

struct Token {
    name: String,
    role: Role,
    secret: String,
}

impl Tokens {
    pub(crate) fn add(&mut self, who: Access, secret: String) {
        if let Inner::Granted { name, role } = who.0 {
            self.all.push(Token { name, role, secret });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Checks them, once all are there.
    pub(crate) fn checked(mut self) -> Result<Self, WebError> {
        for (index, it) in self.all.iter().enumerate() {
            if it.name.trim().is_empty() {
                return Err(WebError::NoName);
            }
            if it.secret.len() < LEAST {
                return Err(WebError::ShortToken {
                    name: it.name.clone(),
                    bytes: it.secret.len(),
                    least: LEAST,
                });
            }
            if let Some(other) = self.all[..index]
                .iter()
                .find(|other| other.secret == it.secret)
            {
                return Err(WebError::SameToken {
                    one: other.name.clone(),
                    other: it.name.clone(),
                });
            }
        }
        self.key = uuid::Uuid::new_v4().into_bytes();
        Ok(self)
    }

    /// Who has this token. However much of it is right takes as long to find out: what is compared are
    /// hashes with a key that nobody knows, byte by byte to the end, and of all tokens.
    pub(crate) fn whose(&self, given: &str) -> Option<(String, Role)> {
        let mut found = None;
        for it in &self.all {
            let own = mac(&self.key, &[it.secret.as_bytes()])
                .finalize()
                .into_bytes();
            if mac(&self.key, &[given.as_bytes()]).verify(&own).is_ok() {
                found = Some((it.name.clone(), it.role));
            }
        }
        found
    }

    /// Who has the token that was sent with a request, and not by a cookie.
    pub(crate) fn by_bearer(&self, headers: &HeaderMap) -> Option<(String, Role)> {
        self.whose(bearer(headers)?)
    }

    /// Checks that no token is among these others, too: then it would say two things.
    pub(crate) fn apart_from(&self, others: &Self) -> Result<(), WebError> {
        for it in &self.all {
            let mut others = others.all.iter();
            if let Some(other) = others.find(|other| other.secret == it.secret) {
                return Err(WebError::SameToken {
                    one: other.name.clone(),
                    other: it.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Who has the cookie that was sent.
    pub(super) fn by_cookie(&self, headers: &HeaderMap) -> Option<(String, Role)> {
        let all = headers.get_all(COOKIE).iter();
        let all = all.filter_map(|value| value.to_str().ok());
        let all = all.flat_map(|value| value.split(';'));
        let mut own = all.filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='));
        own.find_map(|value| self.of_cookie(value, Timestamp::now()))
    }

    fn of_cookie(&self, value: &str, now: Timestamp) -> Option<(String, Role)> {
        let mut parts = value.split('.');
        let (name, end, signed) = (parts.next()?, parts.next()?, parts.next()?);
        let given = unhexed(signed)?;
        let end_at: i64 = end.parse().ok()?;
        let left = end_at - now.as_second();
        if parts.next().is_some() || !(1..=LASTS).contains(&left) {
            return None;
        }
        let name = String::from_utf8(unhexed(name)?).ok()?;
        let of_name = self.all.iter().filter(|it| it.name == name);
        let mut signed = of_name.filter(|it| {
            let mac = mac(it.secret.as_bytes(), &[name.as_bytes(), end.as_bytes()]);
            mac.verify_slice(&given).is_ok()
        });
        signed.next().map(|it| (it.name.clone(), it.role))
    }

    /// The cookie of one who has this token: none if nobody has. It is for this page alone, no script can
    /// read it, and forms of other sites don't send it.
    pub(crate) fn login(&self, given: &str, base: &str, over: Over) -> Option<HeaderValue> {
        let (name, _) = self.whose(given)?;
        let end = (Timestamp::now().as_second() + LASTS).to_string();
        let mac = mac(given.as_bytes(), &[name.as_bytes(), end.as_bytes()]);
        let signed = hexed(&mac.finalize().into_bytes());
        let value = format!("{}.{end}.{signed}", hexed(name.as_bytes()));
        cookie(&value, LASTS, base, over)
    }
}

/// The token that was sent with a request. Another kind of authorization is the business of a proxy on the way.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (kind, token) = given.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the browser has asked by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Tls,
    Plain,
}

/// The cookie that ends a login.
pub(crate) fn logout(base: &str, over: Over) -> Option<HeaderValue> {
    cookie("", 0, base, over)
}

fn cookie(value: &str, lasts: i64, base: &str, over: Over) -> Option<HeaderValue> {
    let path = if base.is_empty() { "/" } else { base };
    let secure = match over {
        Over::Tls => "; Secure",
        Over::Plain => "",
    };
    let cookie =
        format!("{NAME}={value}; Path={path}; Max-Age={lasts}; HttpOnly; SameSite=Lax{secure}");
    cookie.parse().ok()
}

/// Signs parts, each with its length before it.
fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("it takes a key of any length");
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn hexed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(half.into(), 16));
        }
    }
    text
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let mut tokens = Tokens::default();
        tokens.add(Access::operator("ann"), "a".repeat(16));
        tokens.add(Access::reader("bo é."), "b".repeat(16));
        tokens.checked().unwrap()
    }

    fn value(cookie: &HeaderValue) -> String {
        let text = cookie.to_str().unwrap();
        let (_, value) = text.split(';').next().unwrap().split_once('=').unwrap();
        value.to_owned()
    }

    #[test]
    fn a_cookie_stands_for_the_token_until_its_end() {
        let tokens = tokens();
        let cookie = tokens.login(&"b".repeat(16), "/ops", Over::Tls).unwrap();
        let text = cookie.to_str().unwrap();
        for part in ["Path=/ops;", "HttpOnly", "SameSite=Lax", "; Secure"] {
            assert!(text.contains(part), "{text}");
        }
        let value = value(&cookie);
        let now = Timestamp::now();
        let found = tokens.of_cookie(&value, now);
        assert_eq!(found, Some(("bo é.".to_owned(), Role::Reader)));
        let later = Timestamp::from_second(now.as_second() + LASTS + 1).unwrap();
        assert_eq!(tokens.of_cookie(&value, later), None);
        let before = Timestamp::from_second(now.as_second() - LASTS).unwrap();
        assert_eq!(tokens.of_cookie(&value, before), None, "longer than any");
        // With another token it is worth nothing.
        let mut other = Tokens::default();
        other.add(Access::operator("bo é."), "c".repeat(16));
        assert_eq!(other.of_cookie(&value, now), None);
    }

    #[test]
    fn a_cookie_that_was_changed_is_none() {
        let tokens = tokens();
        let cookie = tokens.login(&"a".repeat(16), "", Over::Plain).unwrap();
        assert!(!cookie.to_str().unwrap().contains("Secure"));
        let value = value(&cookie);
        let now = Timestamp::now();
        assert!(tokens.of_cookie(&value, now).is_some());
        for at in 0..value.len() {
            let mut changed = value.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.of_cookie(&changed, now), None, "{changed}");
        }
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            "é.1.é",
            &value[1..],
            &format!("{value}.0"),
        ] {
            assert_eq!(tokens.of_cookie(text, now), None, "{text}");
        }
    }

    #[test]
    fn only_a_whole_token_is_somebodys() {
        let tokens = tokens();
        assert_eq!(tokens.whose(&"a".repeat(16)).unwrap().0, "ann");
        for given in ["", "a", &"a".repeat(15), &"a".repeat(17), &"A".repeat(16)] {
            assert_eq!(tokens.whose(given), None, "{given}");
        }
    }

    #[test]
    fn what_can_be_guessed_is_no_token() {
        let of = |all: &[(&str, &str)]| {
            let mut tokens = Tokens::default();
            for (name, token) in all {
                tokens.add(Access::operator(*name), (*token).to_owned());
            }
            tokens.checked().err()
        };
        let long = "0123456789abcdef";
        assert_eq!(of(&[("ann", long)]), None);
        assert!(matches!(
            of(&[("ann", "")]),
            Some(WebError::ShortToken { bytes: 0, .. })
        ));
        assert_eq!(of(&[(" ", long)]), Some(WebError::NoName));
        let same = of(&[("ann", long), ("bo", long)]);
        assert!(matches!(same, Some(WebError::SameToken { .. })), "{same:?}");
    }
}
