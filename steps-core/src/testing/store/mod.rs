//! The rules of a [`Store`](crate::store::Store), each as a test: a store keeps all of them, or is
//! none.
//!
//! For a store of one's own, say where its databases come from, and let a macro write the tests,
//! one for each rule:
//!
//! ```
//! use steps::{store::MemoryStore, testing::store::Subject};
//!
//! struct Memory(MemoryStore);
//!
//! impl Subject for Memory {
//!     type Store = MemoryStore;
//!
//!     async fn fresh() -> Self {
//!         Self(MemoryStore::new())
//!     }
//!     async fn open(&self) -> MemoryStore {
//!         self.0.reopen()
//!     }
//! }
//!
//! mod conformance {
//!     steps::testing::store_conformance!(super::Memory);
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # steps::testing::store::conformance::<Memory>().await;
//! # }
//! ```
//!
//! With a file, the subject is its directory, and `open` opens the file in it. A store whose
//! database can't be opened twice sets [`Subject::REOPENS`] to `false`. One with a
//! [`write_in_place`](crate::store::Store::write_in_place) of its own is tried a second time, as a
//! subject whose store calls that from `write`, and that [runs](Subject::run) on several threads.
//!
//! [`conformance`] tries all rules one after the other, and [`RULES`] has them one by one. What
//! breaks one is told with what was expected and what came:
//!
//! ```text
//! the store breaks the rule `ended_lease_still_writes`: A lease that has ended is good until …
//! a call that breaks no rule
//!   expected: no error
//!   came:     Fenced: the lease has ended
//! ```

mod builders;
mod catalog;
mod check;
mod fixture;
mod generate;
mod rule;
mod rules;
mod subject;

#[cfg(test)]
mod tests;

pub use catalog::RULES;
pub use rule::{Broken, Rule};
pub use subject::Subject;

/// Tries all rules, on a tokio runtime.
///
/// # Panics
///
/// If the store breaks rules, with the list of them.
pub async fn conformance<S: Subject>() {
    let mut broken = Vec::new();
    for rule in RULES {
        broken.extend(rule.check::<S>().await.err());
    }
    let texts: Vec<String> = broken.iter().map(Broken::to_string).collect();
    assert!(broken.is_empty(), "{}", texts.join("\n\n"));
}

/// Tries one rule on a runtime of the subject's.
#[doc(hidden)]
pub fn run<S: Subject>(name: &'static str) {
    S::run(async move {
        for rule in RULES.iter().filter(|rule| rule.name() == name) {
            if let Err(broken) = rule.check::<S>().await {
                panic!("{broken}");
            }
        }
    });
}

/// Writes a `#[test]` for each rule of a [`Store`](crate::store::Store), in place: of
/// the [`Subject`](crate::testing::store::Subject) whose type is given. See
/// [`testing::store`](crate::testing::store).
#[macro_export]
#[doc(hidden)]
macro_rules! store_conformance {
    ($subject:ty) => {
        $crate::__store_rules! { $crate::__store_tests, $subject }
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __store_tests {
    ($subject:ty; $($module:ident { $($rule:ident: $says:literal,)* })*) => {
        $($(
            #[test]
            fn $rule() {
                $crate::testing::store::run::<$subject>(::core::stringify!($rule));
            }
        )*)*
    };
}
