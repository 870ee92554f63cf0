//! The policy options of `#[step(…)]` and `#[undo(…)]`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    args::{Arg, Value, once_each},
    values::{count, duration_tokens, factor, lacks, optional, time},
};
use crate::errors::Errors;

/// Where the options are written, which decides which of them there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Step,
    Line,
    Undo,
    /// A `#[stop]`.
    Stop,
    /// A handler other than these.
    Handler,
}

/// The options of one attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) retry: Option<TokenStream>,
    pub(crate) when: Option<syn::Expr>,
    pub(crate) timeout: Option<TokenStream>,
    pub(crate) poll: Option<TokenStream>,
    pub(crate) deaths: Option<TokenStream>,
    /// Whether there is a `poll`, with or without mistakes.
    pub(crate) polls: bool,
    /// The names of the options about the policy, with or without mistakes in them.
    pub(crate) policy: Vec<Ident>,
    pub(crate) blocking: Option<Span>,
    /// Whether nobody waits for the thread of a `blocking` function that is given up.
    pub(crate) detached: bool,
    pub(crate) readonly: bool,
    pub(crate) volatile: bool,
    /// Where the step is said to be external.
    pub(crate) external: Option<Span>,
    /// Where it is said that the function is called in a transaction.
    pub(crate) transaction: Option<Span>,
    pub(crate) before: bool,
    pub(crate) name: Option<syn::LitStr>,
    pub(crate) aliases: Vec<syn::LitStr>,
}

const STEP: &[&str] = &[
    "retry",
    "timeout",
    "poll",
    "deaths",
    "blocking",
    "readonly",
    "volatile",
    "external",
    "transaction",
    "name",
    "alias",
    "crate",
];
const LINE: &[&str] = &["retry", "timeout", "poll", "deaths", "name", "alias"];
const POLICY: &[&str] = &["retry", "timeout", "poll", "deaths"];
const UNDO: &[&str] = &[
    "retry",
    "timeout",
    "deaths",
    "blocking",
    "transaction",
    "before",
    "crate",
];
const STOP: &[&str] = &["retry", "timeout", "blocking", "crate"];
const HANDLER: &[&str] = &["blocking", "crate"];
const BLOCKING: &[&str] = &["detached"];
const RETRY: &[&str] = &["times", "every", "backoff", "max", "jitter", "when"];
const POLL: &[&str] = &["every", "times", "within"];

impl Options {
    /// Reads options, and reports those that are unknown or given twice.
    pub(crate) fn read(args: Vec<Arg>, place: Place, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for arg in once_each(args, errors) {
            let name = arg.name.to_string();
            if POLICY.contains(&name.as_str()) {
                options.policy.push(arg.name.clone());
            }
            options.option(&name, arg, place, errors);
        }
        options.check_external(errors);
        options.check_transaction(errors);
        options
    }

    fn option(&mut self, name: &str, arg: Arg, place: Place, errors: &mut Errors) {
        let known = match place {
            Place::Step => STEP,
            Place::Line => LINE,
            Place::Undo => UNDO,
            Place::Stop => STOP,
            Place::Handler => HANDLER,
        };
        if !known.contains(&name) {
            return arg.unknown(known, errors);
        }
        match name {
            "retry" => self.read_retry(arg, errors),
            "timeout" => self.timeout = time(arg, errors),
            "poll" => {
                self.polls = true;
                self.poll = read_poll(arg, errors);
            }
            "deaths" => self.deaths = count(arg, "run", errors),
            "blocking" => self.read_blocking(arg, errors),
            "readonly" => self.readonly = arg.flag(errors),
            "volatile" => self.volatile = arg.flag(errors),
            "external" => {
                let span = arg.span();
                if arg.flag(errors) {
                    self.external = Some(span);
                }
            }
            "transaction" => {
                // Also with a wrong value: it is not `async` that is missing.
                self.transaction = Some(arg.span());
                arg.flag(errors);
            }
            "before" => self.before = arg.flag(errors),
            "name" => {
                self.name = arg.text(errors).inspect(|name| {
                    if name.value().trim().is_empty() {
                        errors.on(name, "a step's name can't be empty");
                    }
                });
            }
            "alias" => self.aliases.extend(arg.text(errors)),
            _ => {}
        }
    }

    /// Reads `blocking`, alone or as `blocking(detached)`.
    fn read_blocking(&mut self, arg: Arg, errors: &mut Errors) {
        let span = arg.span();
        // Also with a wrong value: it is not `blocking` that is missing.
        self.blocking = Some(span);
        match arg.value {
            Value::None => {}
            Value::List(list) => {
                for arg in once_each(list, errors) {
                    match arg.name.to_string().as_str() {
                        "detached" => self.detached = arg.flag(errors),
                        _ => arg.unknown(BLOCKING, errors),
                    }
                }
            }
            Value::Is(_) => errors.at(
                span,
                "`blocking` stands alone, or as `blocking(detached)`, where nobody waits for its \
                 thread after a timeout",
            ),
        }
    }

    /// Reads `retry(…)`.
    fn read_retry(&mut self, arg: Arg, errors: &mut Errors) {
        let span = arg.span();
        let Some(list) = arg.list(errors) else { return };
        if lacks(&list, "times", RETRY) {
            errors.at(
                span,
                "`retry` needs `times`: how many more attempts may follow a failed one",
            );
        }
        let (mut times, mut every, mut backoff, mut max, mut jitter) =
            (None, None, None, None, None);
        for arg in once_each(list, errors) {
            match arg.name.to_string().as_str() {
                "times" => times = count(arg, "retry", errors),
                "every" => every = time(arg, errors),
                "backoff" => backoff = factor(arg, 1.0, f64::MAX, errors),
                "max" => max = time(arg, errors),
                "jitter" => jitter = factor(arg, 0.0, 1.0, errors),
                "when" => self.when = arg.expr(errors),
                _ => arg.unknown(RETRY, errors),
            }
        }
        let Some(times) = times else { return };
        let every = every.unwrap_or_else(|| duration_tokens(Duration::from_secs(1)));
        let max = optional(max);
        let backoff = backoff.unwrap_or_else(|| quote!(1.0));
        let jitter = jitter.unwrap_or_else(|| quote!(0.0));
        self.retry = Some(quote! {
            __p::Retry {
                times: #times, every: #every, backoff: #backoff, max: #max, jitter: #jitter,
            }
        });
    }

    /// Returns the policy as an expression.
    pub(crate) fn policy(&self) -> TokenStream {
        let retry = optional(self.retry.clone());
        let timeout = optional(self.timeout.clone());
        let poll = optional(self.poll.clone());
        let deaths = optional(self.deaths.clone());
        quote!(__p::Policy { retry: #retry, timeout: #timeout, poll: #poll, deaths: #deaths })
    }

    /// Whether the options change the policy.
    pub(crate) fn has_policy(&self) -> bool {
        let Self {
            retry,
            timeout,
            poll,
            deaths,
            ..
        } = self;
        [retry, timeout, poll, deaths].iter().any(|it| it.is_some())
    }

    /// Returns a statement with the function in `when`, which takes such an error, for an editor.
    pub(crate) fn named(&self, error: &TokenStream) -> Option<TokenStream> {
        let when = self.when.as_ref()?;
        Some(quote!({ let _: fn(&#error) -> bool = #when; }))
    }

    /// Returns the function in `when` as an `Option`.
    pub(crate) fn when(&self) -> TokenStream {
        match &self.when {
            None => quote!(__p::Option::None),
            Some(when) => quote_spanned!(when.span()=> __p::Option::Some(#when)),
        }
    }
}

/// Reads `poll(…)`.
fn read_poll(arg: Arg, errors: &mut Errors) -> Option<TokenStream> {
    let span = arg.span();
    let (mut every, mut times, mut within) = (None, None, None);
    let list = match arg.value {
        Value::List(_) => arg.list(errors)?,
        _ => {
            errors.at(
                span,
                "`poll` takes options: `poll(every = \"1s\", times = 10)`",
            );
            return None;
        }
    };
    if lacks(&list, "every", POLL) {
        errors.at(
            span,
            "`poll` needs `every`: the pause before it is asked again",
        );
    }
    for arg in once_each(list, errors) {
        match arg.name.to_string().as_str() {
            "every" => every = time(arg, errors),
            "times" => times = count(arg, "poll", errors),
            "within" => within = time(arg, errors),
            _ => arg.unknown(POLL, errors),
        }
    }
    let every = every?;
    let times = times.unwrap_or_else(|| quote!(0));
    let within = optional(within);
    Some(quote!(__p::Poll { every: #every, times: #times, within: #within }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::args;

    /// How many errors the options of a `#[step(…)]` have.
    fn mistakes(options: &str) -> usize {
        let mut errors = Errors::default();
        let tokens = options.parse().expect("tokens");
        let args = args::parse(tokens, &mut errors);
        Options::read(args, Place::Step, &mut errors);
        errors.len()
    }

    #[test]
    fn a_mistake_does_not_hide_that_an_option_is_missing() {
        for wrong in ["timout = \"1s\"", "timeout = \"soon\"", "blocking = 1"] {
            assert_eq!(mistakes(&format!("{wrong}, retry(every = \"1s\")")), 2);
            assert_eq!(mistakes(&format!("{wrong}, poll(times = 3)")), 2);
        }
        assert_eq!(mistakes("retry(every = \"soon\")"), 2);
        assert_eq!(mistakes("poll(times = 0)"), 2);
        assert_eq!(mistakes("retry(every = \"1s\"), poll(times = 3)"), 2);
    }

    #[test]
    fn an_option_that_is_wrong_or_misspelled_is_not_missing() {
        assert_eq!(mistakes("retry(times = 0)"), 1);
        assert_eq!(mistakes("retry(tmies = 3)"), 1);
        assert_eq!(mistakes("poll(every = \"soon\")"), 1);
        assert_eq!(mistakes("poll(evrey = \"1s\")"), 1);
    }
}
