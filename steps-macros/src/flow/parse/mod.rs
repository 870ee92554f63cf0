//! From tokens to the model: the function (`function`), the lines of its `steps!` (`lines`), and what
//! stands behind a line's name (`body`). The rules that a single line can break are reported here,
//! at the token; those across lines are in `check`.

mod body;
mod function;
mod lines;

pub(super) use function::read;
