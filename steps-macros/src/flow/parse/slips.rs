//! What a reader of plain Rust would write, and is no line here: each is one error, which says what to write.

use quote::ToTokens;
use syn::{Lit, Path, Token, parse::ParseStream};

/// Reports, at its word, what other languages have as a line.
pub(super) fn no_such_line(input: ParseStream<'_>) -> syn::Result<()> {
    let message = if input.peek(Token![while]) {
        "no `while` here: write `name = loop max n { … } until condition;`, whose condition says \
         when it ends"
    } else if input.peek(Token![return]) {
        "no `return` here: a flow ends with its last line, or when a step fails; what it gives stands after \
         `steps! { … }`"
    } else if input.peek(Token![break]) {
        "no `break` here: a `loop` ends by its condition, `name = loop { … } until condition;`"
    } else if input.peek(Token![continue]) {
        "no `continue` here: what a round may leave out is a group, `name = if condition { … }`"
    } else if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        "a closure is no line: put its work in a `#[step]` function, and call that"
    } else if input.peek(Token![async]) || input.peek(Token![unsafe]) {
        "no block of this kind here: put its work in a `#[step]` function, and call that"
    } else if input.peek(Lit) {
        VALUE
    } else {
        return Ok(());
    };
    Err(input.error(message))
}

const VALUE: &str = "this is a value, not the call of a step: write `let name = …;`";

/// Returns the error about a path in a line that is not called: an expression begins there, or the
/// parentheses are missing.
pub(super) fn not_called(input: ParseStream<'_>, path: &Path) -> syn::Error {
    let message = if input.peek(Token![.]) && !input.peek(Token![..]) {
        "a method is no step: put the call in a `#[step]` function; or, if it only makes a value, write \
         `let name = …;`"
            .to_owned()
    } else if is_operator(input) {
        VALUE.to_owned()
    } else {
        let what = path.to_token_stream().to_string().replace(' ', "");
        format!("`{what}` is not called: write `{what}(…);`")
    };
    syn::Error::new_spanned(path, message)
}

/// Whether an operator between two values is next.
fn is_operator(input: ParseStream<'_>) -> bool {
    input.peek(Token![+])
        || input.peek(Token![-])
        || input.peek(Token![*])
        || input.peek(Token![/])
        || input.peek(Token![%])
        || input.peek(Token![==])
        || input.peek(Token![!=])
        || input.peek(Token![<])
        || input.peek(Token![>])
        || input.peek(Token![as])
}
