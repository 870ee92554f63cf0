//! What a cancelled invocation was asked for: an undo, or a stop.

use restate_sdk::{endpoint::ContextInternal, errors::TerminalError};

use super::Ask;
use crate::text::Text;

/// The invocation was cancelled: returns what for. A cancellation that came without any word, as from Restate's own tools,
/// is an undo.
pub(super) async fn asked(ctx: &ContextInternal) -> Ask {
    if is_asked(ctx, Ask::Stop).await && !is_asked(ctx, Ask::Undo).await {
        Ask::Stop
    } else {
        Ask::Undo
    }
}

/// Whether this was ever asked for. Another cancellation, of which Restate may tell at any time, changes nothing about that.
async fn is_asked(ctx: &ContextInternal, ask: Ask) -> bool {
    loop {
        match ctx.peek_promise::<Text>(ask.name()).await {
            Ok(given) => return given.is_some(),
            Err(error) if is_cancelled(&error) => {}
            Err(_) => return false,
        }
    }
}

/// Whether an error is Restate's word that the invocation is cancelled.
pub(super) fn is_cancelled(error: &TerminalError) -> bool {
    error.code() == 409 && error.message() == "cancelled"
}
