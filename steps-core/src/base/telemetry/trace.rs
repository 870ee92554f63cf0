//! Traces: what is kept of the trace of whoever starts an execution, and the way to a tracing system, which
//! this library does not know itself.

use std::{fmt, str::FromStr};

use tracing::Span;

/// A W3C trace context: the trace and the span that a start belongs to. It is kept with the execution, so that
/// each turn continues the trace, in whichever process.
///
/// ```
/// use steps::telemetry::TraceContext;
///
/// let context = TraceContext::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")?;
/// assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// let error = TraceContext::new("00-0af7651916cd43dd-b7ad6b7169203331-01").unwrap_err();
/// assert!(error.to_string().contains("32 hexadecimal digits"), "{error}");
/// # Ok::<_, steps::telemetry::TraceContextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: String,
    tracestate: Option<String>,
}

/// A text that is no trace context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {header}: {why}")]
#[non_exhaustive]
pub struct TraceContextError {
    /// The text.
    pub text: String,
    /// The header that it is the value of: `traceparent` or `tracestate`.
    pub header: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The most bytes of a `tracestate`, as the standard has it.
const MOST: usize = 512;

impl TraceContext {
    /// Reads the value of a header `traceparent`.
    ///
    /// # Errors
    ///
    /// If it is none: two hexadecimal digits of a version, 32 of the trace, 16 of the span and two of flags, in
    /// lower case, with hyphens between them. Neither the trace nor the span is all zeros.
    pub fn new(traceparent: impl Into<String>) -> Result<Self, TraceContextError> {
        let traceparent = traceparent.into();
        match check(&traceparent) {
            Ok(()) => Ok(Self {
                traceparent,
                tracestate: None,
            }),
            Err(why) => Err(TraceContextError {
                text: traceparent,
                header: "traceparent",
                why,
            }),
        }
    }

    /// Adds the value of a header `tracestate`: what tracing systems keep for themselves. An empty one is none.
    ///
    /// # Errors
    ///
    /// If it has more than 512 bytes, or other than printable ASCII characters.
    pub fn with_tracestate(self, tracestate: impl Into<String>) -> Result<Self, TraceContextError> {
        let text = tracestate.into();
        let why = if text.len() > MOST {
            "it has more than 512 bytes"
        } else if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            "it has other than printable ASCII characters"
        } else {
            let trimmed = text.trim();
            let tracestate = (!trimmed.is_empty()).then(|| trimmed.to_owned());
            return Ok(Self { tracestate, ..self });
        };
        Err(TraceContextError {
            text,
            header: "tracestate",
            why,
        })
    }

    /// The value of the header `traceparent`.
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// The value of the header `tracestate`, if there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.traceparent[3..35]
    }
}

/// Returns what is wrong with a `traceparent`.
fn check(text: &str) -> Result<(), &'static str> {
    let is_hex = |part: &str, digits| {
        part.len() == digits
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if text.len() > MOST {
        return Err("it has more than 512 bytes");
    }
    let mut parts = text.split('-');
    let mut part = || parts.next().unwrap_or_default();
    let (version, trace, span, flags) = (part(), part(), part(), part());
    if !is_hex(version, 2) || version == "ff" {
        return Err("it begins with a version: two hexadecimal digits in lower case, not `ff`");
    }
    if !is_hex(trace, 32) || trace.bytes().all(|byte| byte == b'0') {
        return Err("the trace is 32 hexadecimal digits in lower case, not all zeros");
    }
    if !is_hex(span, 16) || span.bytes().all(|byte| byte == b'0') {
        return Err("the span is 16 hexadecimal digits in lower case, not all zeros");
    }
    if !is_hex(flags, 2) {
        return Err("the flags are two hexadecimal digits in lower case");
    }
    // A later version may have more.
    match parts.next() {
        Some(_) if version == "00" => Err("nothing follows the flags"),
        _ if !text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) => {
            Err("it has other than printable ASCII characters")
        }
        _ => Ok(()),
    }
}

/// As a store keeps it: the `traceparent`, and behind a space the `tracestate`, if there is one.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent)?;
        match &self.tracestate {
            Some(tracestate) => write!(f, " {tracestate}"),
            None => Ok(()),
        }
    }
}

/// Reads what a store keeps.
impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            Some((traceparent, tracestate)) => Self::new(traceparent)?.with_tracestate(tracestate),
            None => Self::new(text),
        }
    }
}

/// The way from the spans of this program to a tracing system, and back: given to
/// [`Builder::propagator`](crate::engine::Builder::propagator). The feature `opentelemetry` has one.
pub trait Propagator: Send + Sync + 'static {
    /// Returns the trace context of a span: what whoever continues the trace from it is told. `None` if the
    /// span is part of no trace.
    fn context_of(&self, span: &Span) -> Option<TraceContext>;

    /// Makes a span, which was just made and not entered, a child of the one in this context.
    fn continue_from(&self, span: &Span, context: &TraceContext);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_context_is_read_as_it_is_kept() {
        let context = TraceContext::new(GOOD).unwrap();
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.to_string(), GOOD);
        assert_eq!(context.to_string().parse(), Ok(context.clone()));
        assert_eq!(context.clone().with_tracestate(" "), Ok(context.clone()));
        let full = context.with_tracestate("a=1, b=x y").unwrap();
        assert_eq!(full.tracestate(), Some("a=1, b=x y"));
        assert_eq!(full.to_string().parse(), Ok(full));
        let later = GOOD.replace("00-0", "01-0") + "-more";
        assert_eq!(
            TraceContext::new(later.clone()).unwrap().traceparent(),
            later
        );
    }

    #[test]
    fn what_is_none_is_refused_with_what_is_wrong() {
        for (text, why) in [
            (String::new(), "a version"),
            ("ff".to_owned() + &GOOD[2..], "a version"),
            (GOOD.to_uppercase(), "the trace"),
            (GOOD.replace("0af7", "0af"), "the trace"),
            (
                format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
                "the trace",
            ),
            (
                GOOD.replace("b7ad6b7169203331", "0000000000000000"),
                "the span",
            ),
            (GOOD.replace("-01", "-1"), "the flags"),
            (GOOD.to_owned() + "-more", "nothing follows"),
            (GOOD.replace("00-0", "01-0") + "-m\u{e4}", "printable"),
            (GOOD.to_owned() + " ", "the flags"),
        ] {
            let error = TraceContext::new(text.clone()).unwrap_err();
            assert!(error.why.contains(why), "{error}");
            assert!(error.to_string().contains(&text));
        }
        let context = TraceContext::new(GOOD).unwrap();
        for text in ["a=\n", &"a".repeat(513)] {
            let error = context.clone().with_tracestate(text).unwrap_err();
            assert_eq!(error.header, "tracestate");
        }
    }
}
