//! What a query in one line is made of: `key=value,key=value`, where a value is a word, `~word`,
//! `[word~word]` or `{word word}`. A word with other letters stands in quotes.

/// A word, and whether it stood in quotes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(super) is_quoted: bool,
}

/// What stands after a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Word(Word),
    Fuzzy(Word),
    Range(Option<Word>, Option<Word>),
    List(Vec<Word>),
}

/// Reads `key=value,key=value`. The error says what is wrong.
pub(crate) fn items(text: &str) -> Result<Vec<(String, Said)>, String> {
    let mut reader = Reader { rest: text };
    let mut items = Vec::new();
    reader.skip_spaces();
    while !(reader.rest.is_empty() && items.is_empty()) {
        let key = reader.key()?;
        let said = reader.said(&key)?;
        items.push((key, said));
        reader.skip_spaces();
        if reader.rest.is_empty() {
            break;
        }
        if !reader.take(',') {
            let (key, rest) = (&items[items.len() - 1].0, reader.rest);
            return Err(format!(
                "after the value of `{key}` comes a comma or the end, not `{rest}`"
            ));
        }
        reader.skip_spaces();
        if reader.rest.is_empty() {
            return Err("after the last comma comes nothing".to_owned());
        }
    }
    Ok(items)
}

pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, letter: char) -> bool {
        let after = self.rest.strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Reads up to a `=`, which stands in no quotes.
    fn key(&mut self) -> Result<String, String> {
        let mut is_quoted = false;
        let mut is_escaped = false;
        let end = self.rest.find(|letter| {
            let is_end = !is_quoted && matches!(letter, '=' | ',');
            is_quoted ^= letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            is_end
        });
        let (key, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let key = key.trim();
        let Some(rest) = rest.strip_prefix('=') else {
            return Err(format!(
                "`{key}` has no value: a query is `key=value,key=value`"
            ));
        };
        if key.is_empty() {
            return Err("a `=` has no key before it".to_owned());
        }
        self.rest = rest;
        Ok(key.to_owned())
    }

    fn said(&mut self, key: &str) -> Result<Said, String> {
        self.skip_spaces();
        if self.take('~') {
            let word = self.word(&[','])?;
            let word = word.ok_or_else(|| format!("`{key}=~` has nothing to look for"))?;
            return Ok(Said::Fuzzy(word));
        }
        if self.take('[') {
            return self.range(key);
        }
        if self.take('{') {
            return self.list(key);
        }
        if self.rest.starts_with('(') {
            return Err(format!(
                "`{key}=(…)` asks for several values at once, and there is only one; `{{a b}}` is any \
                 of them"
            ));
        }
        let word = self.word(&[','])?;
        let word = word.ok_or_else(|| format!("`{key}` has no value; `\"\"` is an empty one"))?;
        Ok(Said::Word(word))
    }

    fn range(&mut self, key: &str) -> Result<Said, String> {
        self.skip_spaces();
        let from = self.word(&['~', ']'])?;
        self.skip_spaces();
        let one = format!("a range is `{key}=[from~to]`, with one `~`");
        if !self.take('~') {
            let is_closed = self.rest.starts_with(']');
            return Err(if is_closed {
                one
            } else {
                format!("the `[` of `{key}` is not closed")
            });
        }
        self.skip_spaces();
        let to = self.word(&['~', ']'])?;
        self.skip_spaces();
        if self.rest.starts_with('~') {
            return Err(one);
        }
        if !self.take(']') {
            return Err(format!("the `[` of `{key}` is not closed"));
        }
        if from.is_none() && to.is_none() {
            return Err(format!(
                "the range of `{key}` has no end: give at least one"
            ));
        }
        Ok(Said::Range(from, to))
    }

    fn list(&mut self, key: &str) -> Result<Said, String> {
        let mut words = Vec::new();
        loop {
            self.skip_spaces();
            if self.take('}') {
                break;
            }
            match self.word(&[' ', '\t', '\n', '}', ','])? {
                Some(word) => words.push(word),
                None if self.rest.is_empty() => {
                    return Err(format!("the `{{` of `{key}` is not closed"));
                }
                None => {
                    return Err(format!(
                        "the values in the list of `{key}` are separated by spaces: `{{a b}}`"
                    ));
                }
            }
        }
        if words.is_empty() {
            return Err(format!("the list of `{key}` is empty"));
        }
        Ok(Said::List(words))
    }

    /// Reads a word up to one of these letters; `None` if there is none.
    pub(super) fn word(&mut self, stops: &[char]) -> Result<Option<Word>, String> {
        self.skip_spaces();
        if self.take('"') {
            return self.quoted().map(Some);
        }
        // What means something at the beginning is itself after a backslash.
        let start = usize::from(self.rest.starts_with('\\'));
        let after = &self.rest[start..];
        let first = if start == 1 {
            after.chars().next().map_or(0, char::len_utf8)
        } else {
            0
        };
        let end = after[first..]
            .find(stops)
            .map_or(after.len(), |end| first + end);
        let text = after[..end].trim_end();
        self.rest = &after[end..];
        Ok((!text.is_empty()).then(|| Word {
            text: text.to_owned(),
            is_quoted: start == 1,
        }))
    }

    fn quoted(&mut self) -> Result<Word, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    let is_quoted = true;
                    return Ok(Word { text, is_quoted });
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => return Err("in quotes, after `\\` comes `\"` or `\\`".to_owned()),
                },
                letter => text.push(letter),
            }
        }
        Err(format!("the quote before `{text}` is not closed"))
    }
}
