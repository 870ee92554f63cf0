//! Secrets and signatures, as Standard Webhooks has them: HMAC-SHA256 over the id, the time and the body.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a secret begins with in text.
const PREFIX: &str = "whsec_";

/// How many bytes a secret has.
const BYTES: std::ops::RangeInclusive<usize> = 24..=512;

/// A secret that the receiver has, too.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads a secret: base64, with or without its prefix. The error never shows it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| "it is no base64".to_owned())?;
        if !BYTES.contains(&bytes.len()) {
            return Err(format!("it has {} bytes, and not 24 to 512", bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// Returns the signature.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Some(format!("v1,{signature}"))
    }
}

/// Returns the signatures by all secrets, as one header has them.
pub(super) fn sign(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets.iter();
    // A key of any length is good, so none is left out.
    let signatures = signatures.filter_map(|secret| secret.sign(id, timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's `hmac`.
    #[test]
    fn a_signature_is_as_the_specification_has_it() {
        let body = br#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let one = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let is = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(
            sign(std::slice::from_ref(&one), id, 1_614_265_330, body),
            is
        );
        let both = sign(&[one.clone(), one], id, 1_614_265_330, body);
        assert_eq!(both, format!("{is} {is}"));
    }

    #[test]
    fn what_can_be_no_secret_is_told_without_it() {
        for (text, says) in [
            ("", "0 bytes"),
            ("whsec_c2hvcnQ=", "5 bytes"),
            ("whsec_not base64", "no base64"),
        ] {
            let error = Secret::read(text).unwrap_err();
            assert!(
                error.contains(says) && !error.contains("c2hvcnQ"),
                "{error}"
            );
        }
        let long = STANDARD.encode([7; 513]);
        assert!(Secret::read(&long).unwrap_err().contains("513 bytes"));
        let secret = Secret::read(&STANDARD.encode([7; 24])).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
