//! Keys, each with an id.

use std::{fmt, fs, io, path::Path};

use zeroize::Zeroizing;

use crate::xaes::Cipher;

/// The keys of an [`Encryption`](crate::Encryption): each has an id, which is saved with what is encrypted
/// with it. All is encrypted with the newest, and each can decrypt.
///
/// A key is 32 random bytes, such as `openssl rand -hex 32` gives. In memory they are
/// cleared when they are dropped, and neither `Debug` nor an error shows them.
///
/// ```
/// use steps::codec::Keys;
///
/// # let bytes = [7; 32];
/// # let other = [8; 32];
/// let keys = Keys::new("2026-01", bytes)?.newer("2026-12", other)?;
/// assert_eq!(format!("{keys:?}"), r#"Keys(["2026-01", "2026-12"])"#);
/// assert!(keys.newer("2026-01", bytes).is_err(), "an id is used once");
/// # Ok::<_, steps::codec::KeysError>(())
/// ```
pub struct Keys {
    /// The newest is the last.
    all: Vec<(String, Cipher)>,
    /// The place of the one that encrypts.
    writes: usize,
}

/// Keys can't be used. The text shows no part of a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeysError {
    /// The id is no text of 1 to 64 letters, digits, dots, hyphens and underscores.
    Id {
        /// The id.
        id: String,
    },
    /// Two keys have this id.
    Twice {
        /// The id.
        id: String,
    },
    /// There is no key with this id.
    Unknown {
        /// The id.
        id: String,
    },
    /// A line of a key file can't be read.
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no key.
    None,
    /// The file can't be read, or the system has no random numbers.
    Io(io::Error),
}

impl Keys {
    /// One key.
    ///
    /// # Errors
    ///
    /// [`KeysError::Id`].
    pub fn new(id: impl Into<String>, key: [u8; 32]) -> Result<Self, KeysError> {
        let none = Self {
            all: Vec::new(),
            writes: 0,
        };
        none.newer(id, key)
    }

    /// Adds a key, with which all is encrypted from now on.
    ///
    /// # Errors
    ///
    /// [`KeysError::Id`], and [`KeysError::Twice`] if there is one with the id.
    pub fn newer(mut self, id: impl Into<String>, key: [u8; 32]) -> Result<Self, KeysError> {
        let key = Zeroizing::new(key);
        let id = id.into();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(is_plain) {
            return Err(KeysError::Id { id });
        }
        if self.get(&id).is_some() {
            return Err(KeysError::Twice { id });
        }
        self.writes = self.all.len();
        self.all.push((id, Cipher::new(&key)));
        Ok(self)
    }

    /// Encrypts with the key of this id in the place of the newest: until all processes have the newest.
    ///
    /// # Errors
    ///
    /// [`KeysError::Unknown`].
    pub fn write_with(mut self, id: &str) -> Result<Self, KeysError> {
        let at = self.all.iter().position(|(other, _)| other == id);
        let id = id.to_owned();
        self.writes = at.ok_or(KeysError::Unknown { id })?;
        Ok(self)
    }

    /// Reads keys from text: a line for each, with its id, a space, and 64 hexadecimal digits; the newest
    /// is the last. Empty lines, and those that begin with `#`, mean nothing.
    ///
    /// # Errors
    ///
    /// [`KeysError::Line`], [`KeysError::None`], and as of [`newer`](Self::newer).
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys = Self {
            all: Vec::new(),
            writes: 0,
        };
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why| KeysError::Line { line: at + 1, why };
            let parts = line.split_once(|c: char| c.is_ascii_whitespace());
            let (id, digits) = parts.ok_or(wrong("there is no space between an id and a key"))?;
            let key = hex(digits.trim_start());
            let key = key.ok_or(wrong("a key is 64 hexadecimal digits"))?;
            keys = keys.newer(id, *key)?;
        }
        if keys.all.is_empty() {
            return Err(KeysError::None);
        }
        Ok(keys)
    }

    /// Reads keys from a file: see [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// [`KeysError::Io`] if it can't be read, and as of [`parse`](Self::parse).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeysError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(KeysError::Io)?);
        Self::parse(&text)
    }

    /// Makes a new key, as a line of a key file.
    ///
    /// # Errors
    ///
    /// [`KeysError::Id`], and [`KeysError::Io`] if the system has no random numbers.
    pub fn new_line(id: &str) -> Result<Zeroizing<String>, KeysError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key)
            .map_err(|error| KeysError::Io(io::Error::other(error.to_string())))?;
        Self::new(id, *key)?;
        // Without a growth, which would leave a copy behind.
        let mut line = Zeroizing::new(String::with_capacity(id.len() + 66));
        line.push_str(id);
        line.push(' ');
        for byte in *key {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        Ok(line)
    }

    /// Returns the ids, the newest last.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(id, _)| &**id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Cipher> {
        let found = self.all.iter().find(|(other, _)| other == id);
        found.map(|(_, cipher)| cipher)
    }

    /// The key that encrypts. There is always one.
    pub(crate) fn writes(&self) -> (&str, &Cipher) {
        let (id, cipher) = &self.all[self.writes];
        (id, cipher)
    }
}

fn hex(digits: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(key)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ids().collect();
        write!(f, "Keys({ids:?})")
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id { .. } => f.write_str(
                "the id of a key is 1 to 64 letters, digits, dots, hyphens and underscores",
            ),
            Self::Twice { id } => write!(f, "two keys have the id `{id}`"),
            Self::Unknown { id } => write!(f, "there is no key `{id}` to write with"),
            Self::Line { line, why } => write!(f, "line {line} of the keys: {why}"),
            Self::None => f.write_str("there is no key"),
            Self::Io(error) => write!(f, "the keys can't be read: {error}"),
        }
    }
}

impl std::error::Error for KeysError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_newest_key_last() {
        let lines = ["a", "b"].map(|id| Keys::new_line(id).unwrap());
        let text = format!("# ours\n\n{}\n  {}  \n", *lines[0], *lines[1]);
        let keys = Keys::parse(&text).unwrap();
        assert_eq!(keys.ids().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(keys.writes().0, "b");
        assert_eq!(keys.write_with("a").unwrap().writes().0, "a");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_key() {
        let key = "0123456789abcdef".repeat(4);
        for (text, told) in [
            (String::new(), "there is no key"),
            (
                format!("#\n{key}"),
                "line 2 of the keys: there is no space between an id and a key",
            ),
            (
                format!("a {}", &key[1..]),
                "line 1 of the keys: a key is 64 hexadecimal digits",
            ),
            (
                format!("a {}g", &key[1..]),
                "line 1 of the keys: a key is 64 hexadecimal digits",
            ),
            (format!("a {key}\na {key}"), "two keys have the id `a`"),
            (format!("ä {key}"), "the id of a key is 1 to 64 letters"),
        ] {
            let error = Keys::parse(&text).unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("0123456789"), "{shown}");
        }
        let error = Keys::new("a", [1; 32])
            .unwrap()
            .write_with("b")
            .unwrap_err();
        assert_eq!(error.to_string(), "there is no key `b` to write with");
    }
}
