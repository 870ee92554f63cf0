//! How saved values are read and written: with the keys of a file that the command line names, as the service does
//! whose store it is. Without them, what is encoded is shown as such.

use steps::{
    codec::{Compression, Encryption, Keys, KeysError, Payload},
    engine::Builder,
};

use crate::{
    args::Global,
    error::{Code, Error},
};

/// Gives an engine the codec that the command line asks for.
pub(crate) fn with_codec(builder: Builder, global: &Global) -> Result<Builder, Error> {
    let compression = global.compressed.then(Compression::new);
    let Some(path) = &global.key_file else {
        for (given, option) in [
            (global.key_context.is_some(), "--key-context"),
            (!global.encrypted.is_empty(), "--encrypted"),
        ] {
            if given {
                let why = "is about values that are encrypted: --key-file says with which keys";
                return Err(Error::usage(format!("{option} {why}")));
            }
        }
        return Ok(match compression {
            Some(compression) => builder.codec(compression),
            None => builder,
        });
    };
    let keys = Keys::from_private_file(path).map_err(|error| {
        let path = path.display().to_string();
        match &error {
            KeysError::Io(error) => Error::of_file(&path, error),
            KeysError::Exposed { .. } => Error::new(Code::Refused, format!("{path}: {error}")),
            error => Error::usage(format!("{path}: {error}")),
        }
    })?;
    let mut codec = Encryption::new(keys);
    if let Some(context) = &global.key_context {
        codec = codec.context(context);
    }
    if !global.encrypted.is_empty() {
        codec = codec.only(global.encrypted.iter().copied());
    }
    if let Some(compression) = compression {
        codec = codec.compressed(compression);
    }
    Ok(builder.codec(codec))
}

/// Reads the name of a kind of values.
pub(crate) fn kind(text: &str) -> Result<Payload, String> {
    let mut all = Payload::ALL.into_iter();
    all.find(|kind| kind.as_str() == text).ok_or_else(|| {
        let all = Payload::ALL.map(Payload::as_str);
        format!("the kinds of values are {}", all.join(", "))
    })
}
