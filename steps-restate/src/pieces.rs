//! Cuts the text of an entry that is larger than a bound into pieces, each an entry of Restate's journal, and puts them
//! together again.
//!
//! A crash between two pieces leaves some of an entry that nobody will complete: the interpreter that made it is gone. So
//! the first piece of an entry makes those before it, if they are no whole, void.

/// The text between the numbers and the piece itself.
const END: char = '\n';
/// What a piece begins with; an entry begins with `{`.
const MARK: char = '~';

/// Cuts a text into pieces of at most this many bytes, and their numbers.
pub(crate) fn cut(text: String, most: usize) -> Vec<String> {
    if text.len() <= most {
        return vec![text];
    }
    let mut cuts = Vec::new();
    let mut left = &*text;
    while !left.is_empty() {
        let mut at = most.clamp(4, left.len().max(4)).min(left.len());
        while !left.is_char_boundary(at) {
            at -= 1;
        }
        let (piece, rest) = left.split_at(at);
        cuts.push(piece);
        left = rest;
    }
    let count = cuts.len();
    let numbered = cuts.into_iter().enumerate();
    numbered
        .map(|(at, piece)| format!("{MARK}{at}/{count}{END}{piece}"))
        .collect()
}

/// The pieces of an entry that is not complete yet.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    text: String,
    next: usize,
}

impl Pieces {
    /// Takes in what the journal has next. Returns an entry, once it is complete.
    ///
    /// # Errors
    ///
    /// Returns why it can't be what comes next.
    pub(crate) fn add(&mut self, text: String) -> Result<Option<String>, String> {
        let Some(piece) = text.strip_prefix(MARK) else {
            *self = Self::default();
            return Ok(Some(text));
        };
        let numbers = |text: &str| {
            let (at, count) = text.split_once('/')?;
            Some((at.parse::<usize>().ok()?, count.parse::<usize>().ok()?))
        };
        let parted = piece.split_once(END);
        let parted = parted.and_then(|(head, piece)| Some((numbers(head)?, piece)));
        let Some(((at, count), piece)) = parted else {
            return Err("an entry of the journal is none of this program's".to_owned());
        };
        if at == 0 {
            *self = Self::default();
        } else if at != self.next {
            let next = self.next;
            return Err(format!(
                "piece {at} of an entry came in the place of {next}"
            ));
        }
        self.text += piece;
        self.next += 1;
        if self.next < count {
            return Ok(None);
        }
        Ok(Some(std::mem::take(self).text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: impl IntoIterator<Item = String>) -> Vec<Option<String>> {
        let mut all = Pieces::default();
        let added = pieces.into_iter().map(|piece| all.add(piece).unwrap());
        added.collect()
    }

    #[test]
    fn a_text_comes_through_its_pieces() {
        let text = "{\"ä\":\"€ and 🦀, several bytes each\"}".to_owned();
        for most in 4..text.len() + 2 {
            let pieces = cut(text.clone(), most);
            assert_eq!(pieces.len() == 1, most >= text.len(), "{most}");
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.len() <= most + "~10/10\n".len())
            );
            let added = whole(pieces);
            assert_eq!(added.last().unwrap().as_ref(), Some(&text));
            assert!(added[..added.len() - 1].iter().all(Option::is_none));
        }
    }

    #[test]
    fn what_is_no_whole_is_void_once_another_entry_begins() {
        let (first, other) = (cut("first, cut".to_owned(), 4), cut("other".to_owned(), 4));
        let again = first[..2].iter().chain(&other).cloned();
        assert_eq!(whole(again).pop().flatten().as_deref(), Some("other"));
        let small = first[..1].iter().cloned().chain(["{}".to_owned()]);
        assert_eq!(whole(small).pop().flatten().as_deref(), Some("{}"));
    }

    #[test]
    fn pieces_in_another_order_are_refused() {
        let pieces = cut("another order".to_owned(), 4);
        let mut all = Pieces::default();
        all.add(pieces[0].clone()).unwrap();
        let why = all.add(pieces[2].clone()).unwrap_err();
        assert_eq!(why, "piece 2 of an entry came in the place of 1");
        assert!(Pieces::default().add("~x".to_owned()).is_err());
    }
}
