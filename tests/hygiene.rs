//! What generated code may not depend on: what the user's module imports, shadows or is called,
//! and where its functions stand.
// What is odd here is odd on purpose.
#![allow(
    clippy::double_must_use,
    clippy::non_minimal_cfg,
    clippy::unnecessary_wraps,
    unreachable_pub
)]
#![no_implicit_prelude]

fn block_on(test: impl ::core::future::Future<Output = ()>) {
    let mut builder = ::tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build();
    ::core::result::Result::expect(runtime, "a runtime").block_on(test);
}

mod shadowed {
    use ::std::{
        assert_eq,
        convert::From,
        result::Result as Outcome,
        string::{String, ToString as _},
    };
    use ::steps::{flow, observe, on_done, on_failed, step, undo, verify};

    #[allow(dead_code)]
    struct Result;
    #[allow(dead_code)]
    struct Option;
    #[allow(dead_code)]
    struct Some;
    #[allow(dead_code)]
    struct Box;
    #[allow(dead_code)]
    struct Vec;
    #[allow(dead_code)]
    trait Send {}
    #[allow(dead_code)]
    struct Future;

    #[step(retry(times = 2, every = "1ms"), timeout = "1s")]
    async fn make(n: u32) -> Outcome<u32, String> {
        Outcome::Ok(n + 1)
    }

    #[undo(make)]
    async fn unmake(_n: u32, _made: &u32) {}

    #[verify(make)]
    async fn made(n: u32) -> ::core::option::Option<u32> {
        ::core::option::Option::Some(n + 1)
    }

    #[observe(make)]
    async fn look(n: u32) -> u32 {
        n
    }

    #[step(poll(every = "1ms"))]
    async fn ask(text: &str) -> Outcome<::core::option::Option<String>, String> {
        Outcome::Ok(::core::option::Option::Some(text.to_string()))
    }

    #[step(blocking)]
    fn block(n: u32) -> Outcome<u32, String> {
        Outcome::Ok(n)
    }

    #[flow]
    async fn inner(n: u32) -> Outcome<u32, String> {
        steps! {
            only = make(n);
        }
        Outcome::Ok(only)
    }

    #[flow]
    pub async fn work(text: &str, n: u32, name: String) -> Outcome<u32, String> {
        steps! {
            first = make(n);
            both = parallel {
                left  = ask(&name);
                right = ask(text);
            }
            all = for item in 0..n by item parallel(2) {
                one = make(item);
            }
            some = if n > 1 {
                more = make(all[0].one);
            } else {
                less = make(0);
            }
            matched = if let ::core::option::Option::Some(found) = some.then() {
                again = make(found.more);
            }
            taken = match ::core::option::Option::Some(n) {
                found = ::core::option::Option::Some(found) if found > 0 => make(found);
                none = _ => {}
            }
            rounds = loop max 3 {
                round = make(prev.map_or(first, |prev| prev.round));
            } until round > 2;
            nested = flow inner(n);
            #[optional]
            blocked = block(n);
            r#type = make(n);
        }
        Outcome::Ok(first + rounds.round + nested + r#type)
    }

    #[on_done(work)]
    async fn told(_text: &str, _n: &u32, _name: &String, _answer: &u32) {}

    #[on_failed(work)]
    async fn failed(_text: &str, _n: &u32, _name: &String, _failure: &::steps::Failure) {}

    #[::core::prelude::v1::test]
    fn runs() {
        crate::block_on(async {
            let answer = work("text", 2, String::from("name")).await;
            assert_eq!(answer.ok(), ::core::option::Option::Some(13));
            assert_eq!(work::STEPS.r#type.path(), "type");
            let _: ::core::option::Option<WorkState> = ::core::option::Option::None;
        });
    }
}

mod places {
    use ::std::{prelude::rust_2024::*, string::String};
    use ::steps::prelude::*;

    pub(crate) mod cloud {
        use ::std::{prelude::rust_2024::*, string::String};
        use ::steps::prelude::*;

        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        pub(crate) struct Vm(pub(crate) u32);

        /// Makes a machine.
        #[step]
        #[allow(clippy::unused_async)]
        pub(crate) async fn make(n: u32) -> Result<Vm, String> {
            Ok(Vm(n))
        }

        #[flow]
        pub(in crate::places) async fn twice(n: u32) -> Result<Vm, String> {
            steps! {
                make(n);
                other = make(n + 1);
            }
            Ok(Vm(make.0 + other.0))
        }
    }

    #[flow]
    async fn by_path(n: u32) -> Result<u32, String> {
        steps! {
            vm = cloud::make(n);
            two = flow self::cloud::twice(vm.0);
            three = crate::places::cloud::make(two.0);
        }
        Ok(three.0)
    }

    #[undo(cloud::make)]
    async fn unmake(_n: u32, _vm: &cloud::Vm) {}

    #[::core::prelude::v1::test]
    fn steps_are_named_by_path() {
        crate::block_on(async {
            ::std::assert_eq!(by_path(1).await.ok(), Some(3));
        });
    }

    #[::core::prelude::v1::test]
    fn all_of_it_stands_in_a_function() {
        crate::block_on(async {
            #[derive(Clone, Debug, ::serde::Serialize, ::serde::Deserialize)]
            struct Local(u32);

            #[step]
            async fn local(n: u32) -> Result<Local, String> {
                Ok(Local(n))
            }
            #[undo(local)]
            async fn unlocal(_n: u32, _local: &Local) {}
            #[flow]
            async fn here(n: u32) -> Result<Local, String> {
                steps! {
                    first = local(n);
                    group = { second = local(first.0 + 1); }
                }
                Ok(group.second)
            }
            ::std::assert_eq!(here(1).await.ok().map(|local| local.0), Some(2));
            let _: Option<HereState> = None;
        });
    }

    #[step]
    #[cfg(any())]
    async fn never(n: NoSuchType) -> Result<u32, String> {
        Ok(n)
    }
    #[undo(never)]
    #[cfg(any())]
    async fn unnever(n: NoSuchType, _given: &u32) {}
    #[flow]
    #[cfg(any())]
    async fn never_flow(n: u32) -> Result<u32, String> {
        steps! { first = never(n); }
        Ok(first)
    }
    #[step(crate = ::steps)]
    #[cfg(all())]
    #[must_use]
    async fn always(n: u32) -> Result<u32, String> {
        Ok(n)
    }
    /// The other `never`: there would be two if the condition were lost.
    #[step]
    async fn never(n: u32) -> Result<u32, String> {
        always(n).await
    }
    #[flow]
    #[allow(unused_variables)]
    async fn conditional(n: u32) -> Result<u32, String> {
        steps! {
            one = never(n);
            two = always(one);
        }
        Ok(two)
    }

    #[::core::prelude::v1::test]
    fn conditions_hold_for_all_that_is_generated() {
        crate::block_on(async {
            ::std::assert_eq!(conditional(4).await.ok(), Some(4));
        });
    }
}

/// A crate that re-exports `steps`.
mod reexport {
    pub(crate) mod deep {
        pub(crate) use ::steps;
    }
}

mod renamed {
    use super::reexport::deep::steps as tree;
    use ::std::{prelude::rust_2024::*, string::String};

    #[tree::step(crate = tree)]
    async fn make(n: u32) -> Result<u32, String> {
        Ok(n)
    }
    #[tree::undo(make, crate = tree)]
    async fn unmake(_n: u32, _made: &u32) {}
    #[tree::flow(crate = tree)]
    async fn work(n: u32) -> Result<u32, String> {
        tree::steps! {
            first = make(n);
        }
        Ok(first)
    }
    #[tree::on_done(work, crate = tree)]
    async fn told(_n: &u32, _answer: &u32) {}

    #[::core::prelude::v1::test]
    fn the_crate_may_have_another_name() {
        crate::block_on(async {
            ::std::assert_eq!(work(7).await.ok(), Some(7));
        });
    }
}

/// Lines, parameters and functions that are called what generated code might call its own.
mod common_names {
    use ::std::{prelude::rust_2024::*, string::String};
    use ::steps::{flow, step};

    #[step]
    async fn make(n: u32) -> Result<u32, String> {
        Ok(n)
    }

    /// Adds; called by the code after `steps!` of the flow below.
    fn tail(terms: &[u32]) -> u32 {
        terms.iter().sum()
    }

    #[flow]
    async fn sums(owned: u32, text: &str, saved: u32) -> Result<u32, String> {
        steps! {
            input = make(owned);
            lent = make(input + 1);
            slots = make(lent + 1);
            frame = make(slots + 1);
            line = for item in [frame] by item { made = make(item); }
            op = make(text.len() as u32);
            cx = if op > 0 { made = make(saved); }
            how = make(input);
            value = make(how);
        }
        let line = line[0].made;
        let cx = cx.map_or(0, |cx| cx.made);
        Ok(tail(&[
            input, lent, slots, frame, line, op, cx, how, value, owned, saved,
        ]))
    }

    #[::core::prelude::v1::test]
    fn lines_may_have_any_name() {
        crate::block_on(async {
            ::std::assert_eq!(
                sums(1, "text", 5).await.ok(),
                Some(1 + 2 + 3 + 4 + 4 + 4 + 5 + 1 + 1 + 1 + 5)
            );
        });
    }
}
