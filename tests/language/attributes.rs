//! What compiles as a plain function compiles as a step, a flow or a handler: with attributes on it
//! and on its parameters, with `'static` references, with types that are private. Each module bears
//! the name of what broke.
#![deny(dead_code, deprecated, unfulfilled_lint_expectations, unused)]
// Conditions that always hold, and never.
#![allow(clippy::non_minimal_cfg)]

/// A parameter that is there under a condition only.
mod cfg_param {
    use steps::prelude::*;

    #[step]
    async fn put(
        key: &str,
        #[cfg(any())] region: &NoSuchType,
        #[cfg(all())] count: usize,
        #[cfg_attr(all(), allow(unused_variables))] unused: u32,
        #[cfg(not(any()))]
        #[cfg(all())]
        more: usize,
    ) -> Result<usize, String> {
        Ok(key.len() + count + more)
    }

    #[undo(put)]
    async fn unput(
        _key: &str,
        #[cfg(any())] region: &NoSuchType,
        #[cfg(all())] _count: usize,
        _unused: u32,
        _more: usize,
        _put: &usize,
    ) {
    }

    #[flow]
    async fn store(
        #[cfg(any())] cloud: &NoSuchType,
        key: String,
        #[cfg(all())] count: usize,
        #[cfg(any())] region: NoSuchType,
    ) -> Result<usize, String> {
        steps! {
            put(&key, count, 0, 1);
        }
        Ok(put)
    }

    #[on_done(store)]
    async fn stored(
        _key: &str,
        #[cfg(all())] _count: &usize,
        #[cfg(any())] region: &NoSuchType,
        _given: &usize,
    ) {
    }

    #[tokio::test]
    async fn a_parameter_may_have_a_condition() {
        assert_eq!(store("key".to_owned(), 4).await.unwrap(), 8);
    }
}

/// The definition of something deprecated, and what belongs to it.
mod deprecated_step {
    use steps::prelude::*;

    /// Kept for what runs still.
    #[deprecated(note = "use another")]
    #[step]
    pub(super) async fn copy(n: u32) -> Result<u32, String> {
        Ok(n)
    }

    #[expect(deprecated)]
    #[undo(copy)]
    async fn uncopy(_n: u32, _given: &u32) {}

    #[allow(deprecated)]
    #[observe(copy)]
    async fn look(n: u32) -> u32 {
        n
    }

    #[deprecated]
    #[expect(deprecated, reason = "it is as old as its step")]
    #[flow]
    async fn old(n: u32) -> Result<u32, String> {
        steps! {
            copy(n);
            group = { again = copy(copy); }
        }
        Ok(group.again)
    }

    #[allow(deprecated)]
    #[on_done(old)]
    async fn done(_n: &u32, _given: &u32) {}

    #[allow(deprecated)]
    #[flow]
    async fn around(n: u32) -> Result<u32, String> {
        steps! {
            inner = flow old(n);
        }
        Ok(inner)
    }

    #[tokio::test]
    async fn only_its_use_is_told() {
        assert_eq!(around(3).await.unwrap(), 3);
    }
}

/// Lints that are expected of a function are expected once, of the function.
mod expected {
    use steps::prelude::*;

    #[step]
    #[expect(non_snake_case, reason = "a name from elsewhere")]
    async fn id(N: u32, #[expect(unused_variables)] m: u32) -> Result<u32, String> {
        Ok(N)
    }

    #[expect(dead_code)]
    #[step]
    async fn never_used(n: u32) -> Result<u32, String> {
        Ok(n)
    }

    #[allow(dead_code)]
    #[step]
    async fn kept(n: u32) -> Result<u32, String> {
        Ok(n)
    }

    #[expect(unused_variables, reason = "it takes nothing back")]
    #[undo(kept)]
    async fn unkept(n: u32, _given: &u32) {}

    #[expect(unused_variables, unused_mut)]
    #[expect(path_statements)]
    #[step]
    async fn careless(n: u32, m: u32) -> Result<u32, String> {
        let mut given = m;
        given;
        Ok(m)
    }

    #[step(blocking)]
    #[expect(unused_variables, reason = "the thread needs none")]
    fn block(n: u32) -> Result<u32, String> {
        Ok(1)
    }

    #[expect(unused_variables, unused_mut)]
    #[expect(non_snake_case, unused_must_use)]
    #[flow]
    async fn careless_work(N: u32, m: u32) -> Result<u32, String> {
        steps! {
            first = careless(N, N);
            group = { second = careless(N, first); third = block(N); }
        }
        let mut given = first;
        Ok::<u32, String>(given);
        let other = group.second;
        Ok(first)
    }

    #[expect(unused_variables)]
    #[on_done(careless_work)]
    async fn told(n: &u32, _m: &u32, _given: &u32) {}

    #[expect(dead_code)]
    #[flow]
    async fn nobody(n: u32) -> Result<u32, String> {
        steps! {
            id(n, n);
        }
        Ok(id)
    }

    #[flow]
    async fn work(n: u32) -> Result<u32, String> {
        steps! {
            id(n, n);
        }
        Ok(id)
    }

    #[tokio::test]
    async fn and_met_once() {
        assert_eq!(work(3).await.unwrap(), 3);
        assert_eq!(careless_work(3, 4).await.unwrap(), 3);
    }
}

/// References that live as long as the program.
mod static_str {
    use steps::prelude::*;

    static TEXT: &str = "static";

    #[step]
    async fn count(name: &'static str) -> Result<usize, String> {
        Ok(name.len())
    }

    #[undo(count)]
    async fn uncount(_name: &'static str, _given: &usize) {}

    #[verify(count)]
    async fn counted(_name: &str) -> Option<usize> {
        None
    }

    #[step(blocking)]
    fn block(names: &[&'static str], first: &'static str) -> Result<usize, String> {
        Ok(names.len() + first.len())
    }

    #[flow]
    async fn work(name: &'static str, other: &'static [u8]) -> Result<usize, String> {
        steps! {
            first = count(name);
            second = count("jobs");
            third = block(&["a", "b"], name);
        }
        let kept: &'static [u8] = other;
        Ok(first + second + third + kept.len())
    }

    #[on_done(work)]
    async fn done(_name: &'static str, _other: &[u8], _given: &usize) {}

    #[tokio::test]
    async fn they_are_passed_as_they_are() {
        assert_eq!(work(TEXT, b"123").await.unwrap(), 21);
        let _ = work::with(TEXT, b"123".as_slice());
    }
}

/// What a public step or flow takes and gives may be private to the module, or the program.
mod private_types {
    #![allow(private_interfaces, unreachable_pub)]

    use serde::{Deserialize, Serialize};
    use steps::prelude::*;

    pub struct Cloud(u32);

    struct Secret(u32);

    #[derive(Clone, Serialize, Deserialize)]
    struct Vm(u32);

    #[derive(Serialize, Deserialize)]
    struct Seen(u32);

    #[step]
    pub async fn make(secret: &Secret, n: u32) -> Result<Vm, String> {
        Ok(Vm(secret.0 + n))
    }

    #[undo(make, before)]
    pub async fn unmake(_secret: &Secret, _n: u32, vm: &Vm, seen: &Seen) {
        assert!(vm.0 >= seen.0);
    }

    #[observe(make)]
    pub async fn look(_secret: &Secret, n: u32) -> Seen {
        Seen(n)
    }

    #[verify(make)]
    pub async fn made(_secret: &Secret, _n: u32) -> Option<Vm> {
        None
    }

    #[step(blocking)]
    pub(crate) fn copy(vm: Vm) -> Result<Vm, String> {
        Ok(vm)
    }

    #[flow]
    pub(crate) async fn inner(secret: &Secret, vm: Vm) -> Result<Vm, String> {
        steps! {
            vm = make(secret, vm.0);
        }
        Ok(vm)
    }

    #[flow]
    pub async fn provide(cloud: &Cloud, secret: &Secret, vm: Vm) -> Result<Vm, String> {
        steps! {
            first = make(secret, cloud.0 + vm.0);
            group = { again = copy(first.clone()); }
            nested = flow inner(secret, group.again.clone());
        }
        Ok(nested)
    }

    #[on_done(provide)]
    pub async fn done(_cloud: &Cloud, _secret: &Secret, _vm: &Vm, _given: &Vm) {}

    #[on_failed(provide)]
    pub async fn failed(_cloud: &Cloud, _secret: &Secret, _vm: &Vm, _why: &steps::Failure) {}

    pub async fn run() -> u32 {
        let _ = provide::with(Cloud(1), Secret(2));
        let _ = provide::input(Vm(3));
        let _: Option<ProvideState> = None;
        let _ = (provide::STEPS.group.again, provide::STEPS.nested);
        provide(&Cloud(1), &Secret(2), Vm(3)).await.unwrap().0
    }
}

#[tokio::test]
async fn private_types_are_of_no_consequence() {
    assert_eq!(private_types::run().await, 8);
    let _ = private_types::provide::STEPS;
}
