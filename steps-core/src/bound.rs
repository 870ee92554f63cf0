//! A flow with what it is lent, and an input: what an engine is given.

use crate::{flow::Flow, resume::Run};

/// A flow with the resources it is lent, owned: `attach_volume::with(cloud)`.
///
/// For code that starts flows and should not know what each is lent. Each resource is a value, or
/// an `Arc` of one.
///
/// ```
/// use std::sync::Arc;
/// use steps::prelude::*;
///
/// struct Greeting(&'static str);
///
/// #[step]
/// async fn say(greeting: &Greeting, name: &str) -> Result<String, String> {
///     Ok(format!("{}, {name}", greeting.0))
/// }
///
/// #[flow]
/// async fn greet(greeting: &Greeting, name: String) -> Result<String, String> {
///     steps! { said = say(greeting, &name); }
///     Ok(said)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// let flow = greet::with(Arc::new(Greeting("Hello")));
/// assert_eq!(flow.run(greet::input("you".into())).await?, "Hello, you");
/// # Ok(())
/// # }
/// ```
#[allow(missing_debug_implementations)]
pub struct With<F: Flow> {
    owned: F::Owned,
}

impl<F: Flow> Clone for With<F> {
    fn clone(&self) -> Self {
        Self {
            owned: self.owned.clone(),
        }
    }
}

impl<F: Flow> With<F> {
    #[doc(hidden)]
    pub fn new(owned: F::Owned) -> Self {
        Self { owned }
    }

    /// The flow about to run with this input.
    pub fn run(&self, input: Input<F>) -> Run<'_, F> {
        Run::new(F::lend(&self.owned), input.value)
    }
}

/// The input of a flow, its parameters taken by value: `attach_volume::input(spec)`. For
/// [`With::run`].
#[allow(missing_debug_implementations)]
pub struct Input<F: Flow> {
    value: F::Input,
}

impl<F: Flow> Input<F> {
    #[doc(hidden)]
    pub fn new(value: F::Input) -> Self {
        Self { value }
    }
}
