//! The form of an encoded value in a store: a text that begins with a mark, so that it is told from one
//! that was saved without a codec.
//!
//! `steps:1:` is followed by a letter and `:`. With `i` and `k`, the value is bound to the id or the key of
//! its execution, with `d` to the name of its duty, and base64 follows. With `p`, a text follows that is
//! plain, and happens to begin with the mark.

/// The mark, with the number of the form.
pub(super) const MARK: &str = "steps:1:";

/// A value as a store has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    /// It was saved as it is.
    Plain(&'a str),
    /// It is plain, and begins with the mark.
    Escaped(&'a str),
    /// It is encoded, and bound to this kind of owner.
    Encoded(char, &'a str),
    /// It begins with the mark, and is none of these.
    Unknown,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Stored<'_> {
    let Some(rest) = text.strip_prefix(MARK) else {
        return Stored::Plain(text);
    };
    match rest.split_at_checked(2) {
        Some(("p:", rest)) => Stored::Escaped(rest),
        Some(("i:", rest)) => Stored::Encoded('i', rest),
        Some(("k:", rest)) => Stored::Encoded('k', rest),
        Some(("d:", rest)) => Stored::Encoded('d', rest),
        _ => Stored::Unknown,
    }
}

/// Writes an encoded value.
pub(super) fn write(owner: char, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(MARK.len() + 2 + bytes.len().div_ceil(3) * 4);
    text.push_str(MARK);
    text.push(owner);
    text.push(':');
    base64::write(bytes, &mut text);
    text
}

/// Writes a plain value that begins with the mark.
pub(super) fn escape(text: &str) -> String {
    format!("{MARK}p:{text}")
}

/// Returns the bytes of an encoded value.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    base64::read(text)
}

/// Returns whether a text, or the text of a JSON value, is an encoded value as a [`CodecStore`] writes it.
/// Programs that read a store without its codec, such as a list for people, show something else in its
/// place.
///
/// [`CodecStore`]: super::CodecStore
pub fn is_encoded(text: &str) -> bool {
    let text = text.strip_prefix('"').unwrap_or(text);
    matches!(read(text), Stored::Encoded(..))
}

/// Base64 with the alphabet of URLs, without padding.
mod base64 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// The value of each character; 64 of those that are none.
    const VALUES: [u8; 256] = {
        let mut values = [64; 256];
        let mut at = 0;
        while at < 64 {
            values[ALPHABET[at as usize] as usize] = at;
            at += 1;
        }
        values
    };

    pub(super) fn write(bytes: &[u8], to: &mut String) {
        for chunk in bytes.chunks(3) {
            let mut group = [0; 3];
            group[..chunk.len()].copy_from_slice(chunk);
            let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
            for place in 0..=chunk.len() {
                let value = (bits >> (18 - 6 * place)) & 63;
                to.push(char::from(ALPHABET[value as usize]));
            }
        }
    }

    pub(super) fn read(text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
        for chunk in text.as_bytes().chunks(4) {
            let mut bits = 0;
            for (place, byte) in chunk.iter().enumerate() {
                let value = VALUES[usize::from(*byte)];
                if value == 64 {
                    return None;
                }
                bits |= u32::from(value) << (18 - 6 * place);
            }
            let group = &bits.to_be_bytes()[1..];
            let (whole, rest) = group.split_at(chunk.len().checked_sub(1).filter(|n| *n > 0)?);
            // One text for each value: what is left over of the last characters is 0.
            if rest.iter().any(|byte| *byte != 0) {
                return None;
            }
            bytes.extend(whole);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_told_apart() {
        assert_eq!(read("abc"), Stored::Plain("abc"));
        assert_eq!(read("steps:1"), Stored::Plain("steps:1"));
        assert_eq!(read("steps:1:"), Stored::Unknown);
        assert_eq!(read("steps:1:x:AA"), Stored::Unknown);
        assert_eq!(read("steps:1:ä"), Stored::Unknown);
        assert_eq!(read(&escape("steps:1:p:")), Stored::Escaped("steps:1:p:"));
        assert_eq!(read(&write('k', b"abc")), Stored::Encoded('k', "YWJj"));
        assert!(is_encoded("\"steps:1:i:YQ\"") && !is_encoded("\"steps\""));
    }

    #[test]
    fn only_what_was_written_is_read() {
        for text in ["A", "AAAAA", "A=", "AB", "AAB", "A A", "ä", "AA\0"] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(bytes(""), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn bytes_come_back(all: Vec<u8>) {
            let text = write('i', &all);
            let Stored::Encoded('i', text) = read(&text) else {
                panic!("{text}");
            };
            prop_assert_eq!(bytes(text), Some(all));
        }
    }
}
