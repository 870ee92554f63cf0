//! The failure of an execution that has ended elsewhere, from its saved tree.

use std::sync::Arc;

use crate::{
    interpreter::cause_of,
    language::flow::Flow,
    model::{failure::Failure, state::State},
};

impl Failure {
    /// Returns the failure of an execution that has ended and is not done, as its saved tree tells it: of errors, their
    /// texts are left.
    ///
    /// ```
    /// use steps::{Failure, State, prelude::*};
    ///
    /// #[step]
    /// async fn copy() -> Result<(), String> {
    ///     Err("the disk is full".to_owned())
    /// }
    ///
    /// #[flow]
    /// async fn back_up() -> Result<(), String> {
    ///     steps! { copied = copy(); }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let failure = back_up().await.unwrap_err();
    /// let saved = failure.state.to_json();
    /// let read = Failure::of_ended::<back_up>(State::from_json(&saved).unwrap());
    /// assert_eq!(read.to_string(), failure.to_string());
    /// # }
    /// ```
    pub fn of_ended<F: Flow>(state: State) -> Self {
        Self {
            flow: F::TABLE.name,
            cause: cause_of(&state, F::TABLE),
            state: Arc::new(state),
        }
    }
}
