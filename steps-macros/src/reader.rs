//! Who reads what a macro emits. The compiler reads all that runs. An editor's language server asks
//! for something else: what a name of the user's stands for, of which type it is, and what may be
//! written next. For it, a macro emits plain Rust, and hides its own names.

use std::{env, sync::OnceLock};

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Compiler,
    Editor,
}

impl Reader {
    /// Returns the reader that this process works for.
    ///
    /// rust-analyzer expands macros in a process of its own, whose program has its name. That costs
    /// the compiler nothing, where code under `cfg(rust_analyzer)` would be emitted for the compiler
    /// as well. With that `cfg` set for this crate, the compiler reads what an editor does, and so
    /// checks it.
    pub(crate) fn of_this_process() -> Self {
        static READER: OnceLock<Reader> = OnceLock::new();
        *READER.get_or_init(|| {
            let program = env::current_exe().unwrap_or_default();
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            if cfg!(rust_analyzer) || name.contains("rust-analyzer") {
                Self::Editor
            } else {
                Self::Compiler
            }
        })
    }
}

/// Returns the tokens without their places in the user's source, so that an editor does not take
/// them for what the user wrote there.
pub(crate) fn hidden(tokens: TokenStream) -> TokenStream {
    let hide = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), hidden(group.stream())).into();
        }
        token.set_span(Span::call_site());
        token
    };
    tokens.into_iter().map(hide).collect()
}
