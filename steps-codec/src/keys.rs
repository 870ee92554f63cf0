//! Keys, each with an id.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

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

/// How many bytes a key file may have: some thousand keys.
const LARGEST: u64 = 1 << 20;

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
        why: String,
    },
    /// There is no key.
    None,
    /// Others than its owner and its group may read the file, or others than its owner may write it.
    Exposed {
        /// Its permissions.
        mode: u32,
    },
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

    /// Reads keys from text: a line for each, with its id, a space, and 64 hexadecimal digits. The last one
    /// encrypts, or the one whose line ends with `current`, as [`write_with`](Self::write_with) would say. Empty
    /// lines, and those that begin with `#`, mean nothing.
    ///
    /// ```
    /// use steps::codec::Keys;
    ///
    /// # let (old, new) = ("5c".repeat(32), "91".repeat(32));
    /// // The new key can be read by now, and nothing is written with it before all processes have it.
    /// let keys = Keys::parse(&format!("2026-01 {old} current\n2026-12 {new}\n"))?;
    /// assert_eq!(keys.current(), "2026-01");
    /// # Ok::<_, steps::codec::KeysError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeysError::Line`] and [`KeysError::None`].
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys = Self {
            all: Vec::new(),
            writes: 0,
        };
        let mut current = None;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| KeysError::Line { line: at + 1, why };
            let mut parts = line.split_ascii_whitespace();
            let (Some(id), Some(digits)) = (parts.next(), parts.next()) else {
                return Err(wrong("there is no space between an id and a key".into()));
            };
            let key = hex(digits).ok_or_else(|| wrong("a key is 64 hexadecimal digits".into()))?;
            match (parts.next(), parts.next(), &current) {
                (None, ..) => {}
                (Some("current"), None, None) => current = Some(id.to_owned()),
                (Some("current"), None, Some(other)) => {
                    return Err(wrong(format!("the key `{other}` is `current` already")));
                }
                _ => return Err(wrong("nothing but `current` can follow a key".into())),
            }
            keys = keys
                .newer(id, *key)
                .map_err(|error| wrong(error.to_string()))?;
        }
        match current {
            _ if keys.all.is_empty() => Err(KeysError::None),
            Some(id) => keys.write_with(&id),
            None => Ok(keys),
        }
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

    /// Reads keys from a file that is nobody else's business: the same as [`from_file`](Self::from_file), but
    /// on Unix one is refused that all may read, or that others than its owner may write; and one of more than
    /// 1 MiB is. So does the program `steps`.
    ///
    /// # Errors
    ///
    /// [`KeysError::Exposed`], and as of [`from_file`](Self::from_file).
    pub fn from_private_file(path: impl AsRef<Path>) -> Result<Self, KeysError> {
        let file = File::open(path).map_err(KeysError::Io)?;
        let about = file.metadata().map_err(KeysError::Io)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o026 != 0 {
                return Err(KeysError::Exposed { mode });
            }
        }
        if about.len() > LARGEST {
            let why = format!("it has more than {LARGEST} bytes");
            return Err(KeysError::Io(io::Error::other(why)));
        }
        // With room for all of it: growing would leave copies behind.
        let room = usize::try_from(about.len()).unwrap_or_default() + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        let read = file.take(LARGEST).read_to_string(&mut text);
        read.map_err(KeysError::Io)?;
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

    /// Returns the id of the key that encrypts.
    pub fn current(&self) -> &str {
        self.writes().0
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
            Self::Exposed { mode } => write!(
                f,
                "others may read or write the keys, as the file has the permissions {mode:03o}: `chmod 600` it"
            ),
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
        assert_eq!(keys.current(), "b");
        assert_eq!(keys.write_with("a").unwrap().current(), "a");
        let text = format!("{} current\n{}\n", *lines[0], *lines[1]);
        assert_eq!(Keys::parse(&text).unwrap().current(), "a");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_read_and_one_of_all_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = std::env::temp_dir().join(format!("steps-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("keys");
        fs::write(&path, &*Keys::new_line("a").unwrap()).unwrap();
        let with = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Keys::from_private_file(&path)
        };
        for mode in [0o600, 0o400, 0o640] {
            assert_eq!(with(mode).unwrap().current(), "a", "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o602, 0o660] {
            let error = with(mode).unwrap_err();
            assert!(matches!(error, KeysError::Exposed { mode: is } if is == mode));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        fs::write(&path, " ".repeat(1 << 21)).unwrap();
        assert!(matches!(with(0o600), Err(KeysError::Io(_))));
        fs::remove_dir_all(folder).unwrap();
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
            (
                format!("a {key}\na {key}"),
                "line 2 of the keys: two keys have the id `a`",
            ),
            (
                format!("ä {key}"),
                "line 1 of the keys: the id of a key is 1 to 64 letters",
            ),
            (
                format!("a {key} {key}"),
                "line 1 of the keys: nothing but `current` can follow a key",
            ),
            (
                format!("a {key} current\n\nb {key} current"),
                "line 3 of the keys: the key `a` is `current` already",
            ),
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
