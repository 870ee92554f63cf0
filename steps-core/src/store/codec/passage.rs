//! The passage of one value into the store, or out of it.

use super::{
    Codec, CodecError, Owner, Payload, Place, attrs,
    token::{self, Stored},
};
use crate::{
    base::json::Json,
    model::attrs::Attrs,
    store::{ErrorKind, StoreError},
};

/// What a value is, and where in its execution it stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) payload: Payload,
    pub(super) row: Option<u32>,
    pub(super) field: &'static str,
    pub(super) path: &'a str,
}

/// What passes, and which way.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) codec: &'a dyn Codec,
    pub(super) way: Way<'a>,
}

/// A way through the codec.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// Into the store. Values that are encoded already are left as they are, if they come from one that
    /// [could not read them](Way::Out).
    In { owner: Owner<'a>, is_raw: bool },
    /// Out of the store: what belongs to the execution of this id and this key.
    Out { id: &'a str, key: i64 },
    /// Out of the store: what belongs to the duty of this name.
    OutOfDuty { name: &'a str },
}

/// A value that could not pass. It is as it was.
#[derive(Debug)]
pub(super) struct Fault {
    field: &'static str,
    path: String,
    /// The row of the node.
    pub(super) row: Option<u32>,
    pub(super) error: CodecError,
}

impl Passage<'_> {
    pub(super) fn text(&self, at: At<'_>, text: &mut String) -> Result<(), Fault> {
        if let Some(passed) = self.pass(at, text)? {
            *text = passed;
        }
        Ok(())
    }

    pub(super) fn json(&self, at: At<'_>, json: &mut Json) -> Result<(), Fault> {
        if let Some(passed) = self.json_text(at, json.get())? {
            *json = Json::parse(passed).map_err(|_| at.fault(no_json()))?;
        }
        Ok(())
    }

    /// Passes what is kept with the transaction of a step.
    pub(super) fn transaction(&self, name: &str, output: &mut Json) -> Result<(), Fault> {
        let at = At {
            payload: Payload::Output,
            row: None,
            field: "output of the transaction",
            path: name,
        };
        self.json(at, output)
    }

    /// Passes each value of the attributes by itself, so that a store can patch them.
    pub(super) fn attrs(&self, all: &mut Attrs) -> Result<(), Fault> {
        let Some(json) = all.to_json() else {
            return Ok(());
        };
        let passed = attrs::each_value(json.get(), &mut |path, value| {
            let at = At {
                payload: Payload::Attr,
                row: None,
                field: "attribute",
                path,
            };
            self.json_text(at, value)
        })?;
        if let Some(passed) = passed {
            let attrs = Attrs::parse(passed);
            *all = attrs.map_err(|error| Fault {
                field: "attributes",
                path: String::new(),
                row: None,
                error: CodecError::invalid(error.to_string()),
            })?;
        }
        Ok(())
    }

    /// Returns the text of a JSON value after its passage; `None` if it is as before. In the store it is a
    /// JSON text.
    fn json_text(&self, at: At<'_>, text: &str) -> Result<Option<String>, Fault> {
        let quoted = |text: String| serde_json::Value::String(text).to_string();
        if let Way::In { .. } = self.way {
            let is_text = text.starts_with('"');
            // Only a text may look like an encoded value, whose characters need no escapes.
            let inner = text.strip_prefix('"').filter(|_| is_text);
            return match inner.map(token::read) {
                Some(Stored::Encoded(..)) if self.is_raw() => Ok(None),
                None | Some(Stored::Plain(_)) => Ok(self.encode(at, text)?.map(quoted)),
                Some(_) => Ok(Some(quoted(
                    self.encode(at, text)?
                        .unwrap_or_else(|| token::escape(text)),
                ))),
            };
        }
        let mark = text
            .strip_prefix('"')
            .filter(|text| text.starts_with(token::MARK));
        let Some(_) = mark else {
            return self.check_plain(at).map(|()| None);
        };
        let stored: String = serde_json::from_str(text).map_err(|_| at.fault(no_json()))?;
        self.decode(at, &stored)
    }

    /// Returns a plain text after its passage; `None` if it is as before.
    fn pass(&self, at: At<'_>, text: &str) -> Result<Option<String>, Fault> {
        let Way::In { .. } = self.way else {
            return self.decode(at, text);
        };
        match token::read(text) {
            Stored::Encoded(..) if self.is_raw() => Ok(None),
            Stored::Plain(_) => self.encode(at, text),
            _ => {
                let encoded = self.encode(at, text)?;
                Ok(Some(encoded.unwrap_or_else(|| token::escape(text))))
            }
        }
    }

    fn is_raw(&self) -> bool {
        matches!(self.way, Way::In { is_raw: true, .. })
    }

    fn encode(&self, at: At<'_>, text: &str) -> Result<Option<String>, Fault> {
        let Way::In { owner, .. } = self.way else {
            return Ok(None);
        };
        if !self.codec.encodes(at.payload) {
            return Ok(None);
        }
        let encoded = self.codec.encode(&at.place(owner), text);
        let encoded = encoded.map_err(|error| at.fault(error))?;
        let letter = match owner {
            Owner::Id(_) => 'i',
            Owner::Key(_) => 'k',
            Owner::Duty(_) => 'd',
        };
        Ok(encoded.map(|bytes| token::write(letter, &bytes)))
    }

    /// Returns what is in a text of the store, if that is something else than the text.
    fn decode(&self, at: At<'_>, text: &str) -> Result<Option<String>, Fault> {
        let (letter, text) = match token::read(text) {
            Stored::Plain(_) => return self.check_plain(at).map(|()| None),
            Stored::Escaped(text) => return self.check_plain(at).map(|()| Some(text.to_owned())),
            Stored::Encoded(letter, text) => (letter, text),
            Stored::Unknown => {
                let why = "it begins like an encoded value, and is none of this version";
                return Err(at.fault(CodecError::invalid(why)));
            }
        };
        let owner = match (letter, self.way) {
            ('i', Way::Out { id, .. }) => Owner::Id(id),
            ('k', Way::Out { key, .. }) => Owner::Key(key),
            ('d', Way::OutOfDuty { name }) => Owner::Duty(name),
            _ => return Err(at.fault(CodecError::invalid("it was encoded for another place"))),
        };
        let decoded = match token::bytes(text) {
            Some(bytes) => self.codec.decode(&at.place(owner), &bytes),
            None => Err(CodecError::invalid("it is no base64")),
        };
        decoded.map(Some).map_err(|error| at.fault(error))
    }

    fn check_plain(&self, at: At<'_>) -> Result<(), Fault> {
        if self.codec.takes_plain() || !self.codec.encodes(at.payload) {
            return Ok(());
        }
        let why = "it was saved without a codec, and this one refuses that";
        Err(at.fault(CodecError::invalid(why)))
    }
}

impl At<'_> {
    fn place<'a>(&'a self, owner: Owner<'a>) -> Place<'a> {
        Place {
            payload: self.payload,
            owner,
            row: self.row,
            field: self.field,
            path: self.path,
        }
    }

    fn fault(&self, error: CodecError) -> Fault {
        Fault {
            field: self.field,
            path: self.path.to_owned(),
            row: self.row,
            error,
        }
    }
}

impl Fault {
    /// Returns the error of a store: of whose value, such as "execution `req-42`", and of which step.
    pub(super) fn told(self, whose: &str, step: Option<&str>) -> StoreError {
        let kind = match self.error {
            CodecError::UnknownKey { .. } => ErrorKind::NoKey,
            CodecError::Invalid { .. } => ErrorKind::Corrupt,
        };
        let step = step.filter(|path| !path.is_empty());
        let step = step
            .map(|path| format!(", step `{path}`"))
            .unwrap_or_default();
        let path = match self.path.as_str() {
            "" => String::new(),
            path => format!(" `{path}`"),
        };
        let (field, error) = (self.field, &self.error);
        let message = format!("{whose}{step}: the {field}{path} can't be read: {error}");
        StoreError::new(kind, message).with_source(self.error)
    }

    /// The same for a value that could not be encoded.
    pub(super) fn not_written(self, whose: &str) -> StoreError {
        let (field, error) = (self.field, &self.error);
        let message =
            format!("{whose}: the {field} can't be encoded, and nothing is written: {error}");
        StoreError::new(ErrorKind::Rejected, message).with_source(self.error)
    }
}

fn no_json() -> CodecError {
    CodecError::invalid("what is in it is no JSON")
}
