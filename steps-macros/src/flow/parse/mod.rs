//! From tokens to the model: the function (`function`), the lines of its `steps!` (`lines`), and
//! the call or group in a line (`body`, `rounds`, `arms`); and the list of a `#[plan]` (`plan`). A mistake within one line is reported here, at its token;
//! the rules that concern several lines are in `check`.

mod arms;
mod body;
mod child;
mod form;
mod function;
mod joins;
mod let_line;
mod lines;
pub(super) mod plan;
mod rounds;
mod slips;

pub(super) use function::read;
