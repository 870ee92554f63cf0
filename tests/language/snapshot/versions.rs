//! One flow in many versions, each with a change to the first.

use steps::{
    Branch,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{act, fail, num};

type Done = Result<(), Injected>;

#[step(volatile)]
async fn look(_lab: &Lab) -> Result<u32, Injected> {
    Ok(1)
}

#[step]
async fn looked(_lab: &Lab) -> Result<u32, Injected> {
    Ok(1)
}

macro_rules! inner {
    ($name:ident($lab:ident $(, $field:ident: $ty:ty)*) -> $output:ty { $($lines:tt)* } $give:expr) => {
        mod $name {
            use super::*;
            #[flow(name = "inner")]
            pub(super) async fn inner($lab: &Lab $(, $field: $ty)*) -> Result<$output, Injected> {
                steps! { $($lines)* }
                Ok($give)
            }
        }
    };
}

inner!(inner_1(lab, n: u32) -> u32 { one = num(lab, n); } one);
inner!(inner_2(lab, n: u64) -> u64 { one = num(lab, n as u32); } one.into());
inner!(inner_3(lab, n: u32, more: Option<u32>) -> u32 { one = num(lab, n); new = num(lab, 2); } one);

macro_rules! version {
    ($name:ident, $inner:ident, $lab:ident, $n:ident { $($lines:tt)* }) => {
        pub(super) mod $name {
            use super::*;
            #[allow(unused_imports)]
            use super::$inner::inner;
            #[flow(name = "snap")]
            pub(in super::super) async fn flow($lab: &Lab, $n: u32) -> Done {
                steps! { $($lines)* }
                Ok(())
            }
        }
    };
}

version!(first, inner_1, lab, n {
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for i in [1_u32, 2] by i { c = num(lab, i + n); } }
    p = parallel { x = num(lab, 1); y = num(lab, 2); }
    i = if lab.is_there("x") { d = num(lab, 1); }
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n);
});

// All that fits: an alias, a group at once, new lines at the ends of flows, an optional one.
version!(fits, inner_3, lab, n {
    #[step(alias = "a")]
    first = act(lab, "a");
    g = parallel { b = num(lab, 1); each = for i in [1_u32, 2] by i parallel { c = num(lab, i + n); } }
    #[optional]
    new = num(lab, 3);
    p = parallel { x = num(lab, 1); y = num(lab, 2); }
    i = if lab.is_there("x") { d = num(lab, 1); }
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n, None);
    last = act(lab, "last");
});

version!(renamed, inner_1, lab, n {
    first = act(lab, "a");
    g = { b = num(lab, 1); each = for i in [1_u32, 2] by i { c = num(lab, i + n); } }
    p = parallel { x = num(lab, 1); y = num(lab, 2); }
    i = if lab.is_there("x") { d = num(lab, 1); }
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n);
});

// Of what `fits` is: it has no alias any more.
version!(no_alias, inner_3, lab, n {
    first = act(lab, "a");
    g = parallel { b = num(lab, 1); each = for i in [1_u32, 2] by i parallel { c = num(lab, i + n); } }
    #[optional]
    new = num(lab, 3);
    p = parallel { x = num(lab, 1); y = num(lab, 2); }
    i = if lab.is_there("x") { d = num(lab, 1); }
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n, None);
    last = act(lab, "last");
});

// Gone, moved into another group, moved before another, and retyped, in and out of groups.
version!(torn, inner_2, lab, n {
    p = parallel { y = num(lab, 2); z = act(lab, "z"); }
    g = { each = for i in [1_u32, 2] by i { c = act(lab, &(i + n).to_string()); } }
    i = if lab.is_there("x") { d = num(lab, 1); } else { e = num(lab, 1); }
    seen = looked(lab);
    o = fail(lab, "o");
    f = flow inner(lab, u64::from(n));
    later = { a = act(lab, match i { Branch::Then(_) => "a", Branch::Else(_) => "b" }); }
});

version!(added, inner_1, lab, n {
    a = act(lab, "a");
    new = act(lab, "new");
    g = {
        b = num(lab, 1);
        each = for i in [1_u32, 2] by i { c = num(lab, i + n); late = num(lab, c); }
        end = act(lab, "end");
    }
    p = parallel { x = num(lab, 1); y = num(lab, 2); z = num(lab, 3); }
    i = if lab.is_there("x") { d = num(lab, 1); }
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n);
});

version!(kinds, inner_1, lab, n {
    a = { a = act(lab, "a"); }
    g = num(lab, n);
    p = { x = num(lab, 1); y = num(lab, 2); }
    i = loop { d = num(lab, 1); } until d == 1;
    seen = look(lab);
    #[optional]
    o = fail(lab, "o");
    f = flow inner(lab, n);
});

/// Of another name, with another input.
pub(super) mod other {
    use super::*;
    #[flow(name = "other")]
    pub(in super::super) async fn flow(lab: &Lab, n: u64, size: u32) -> Done {
        steps! { a = act(lab, "a"); }
        let _ = (n, size, a);
        Ok(())
    }
}

/// A part of the first, under two names.
pub(super) mod short {
    use super::*;
    #[flow(name = "short")]
    pub(in super::super) async fn flow(lab: &Lab) -> Done {
        steps! { a = act(lab, "a"); }
        Ok(())
    }
}
pub(super) mod long {
    use super::*;
    #[flow(name = "long", alias = "short")]
    pub(in super::super) async fn flow(lab: &Lab) -> Done {
        steps! { a = act(lab, "a"); }
        Ok(())
    }
}

/// What only the newer form of the file tells: a signal and a sleep, items, what is matched, a bound,
/// a function, a parameter and the output.
pub(super) mod told {
    use super::*;
    #[flow(name = "told")]
    pub(in super::super) async fn flow(lab: &Lab, n: u32) -> Result<u32, Injected> {
        steps! {
            ok = steps::signal::<bool>();
            pause = steps::sleep(std::time::Duration::ZERO);
            each = for i in [1_u32] by i { c = num(lab, i); }
            some = if let Some(m) = Some(n) { d = num(lab, m); }
            again = loop max 3 { e = num(lab, 1); } until true
            o = num(lab, 1);
        }
        let _ = (ok, each, some, again);
        Ok(o)
    }
}

#[step]
async fn other_num(lab: &Lab, n: u32) -> Result<u32, Injected> {
    lab.act(n.to_string())?;
    Ok(n)
}

pub(super) mod told_other {
    use super::*;
    #[flow(name = "told")]
    pub(in super::super) async fn flow(lab: &Lab, size: u32) -> Result<String, Injected> {
        steps! {
            ok = steps::signal::<String>();
            pause = steps::signal::<()>();
            each = for i in [String::new()] by i { c = num(lab, i.len() as u32); }
            some = if let Some(m) = Some(u64::from(size)) { d = num(lab, m as u32); }
            again = loop max 2 { e = num(lab, 1); } until true
            o = other_num(lab, 1);
        }
        let _ = (ok, each, some, again);
        Ok(o.to_string())
    }
}

/// Of that, only what strands nothing.
pub(super) mod told_fits {
    use super::*;
    #[flow(name = "told")]
    pub(in super::super) async fn flow(
        lab: &Lab,
        #[alias = "n"] size: u32,
    ) -> Result<String, Injected> {
        steps! {
            ok = steps::signal::<bool>();
            pause = steps::sleep(std::time::Duration::ZERO);
            each = for i in [1_u32] by i { c = num(lab, i); }
            some = if let Some(m) = Some(size) { d = num(lab, m); }
            again = loop max 3 { e = num(lab, 1); } until true
            o = other_num(lab, 1);
        }
        let _ = (ok, each, some, again);
        Ok(o.to_string())
    }
}

version!(way_first, inner_1, lab, n {
    way = match n { one = 1 => { a = act(lab, "a"); } other = _ => num(lab, 2); }
});
version!(way_fits, inner_1, lab, n {
    way = match n {
        new = 7 => {}
        #[step(alias = "other")]
        more = 2.. => num(lab, 2);
        one = 0 | 1 => { a = act(lab, "a"); }
    }
});
version!(way_gone, inner_1, lab, n {
    way = match n { other = _ => num(lab, 2); }
});
version!(way_other, inner_1, lab, n {
    way = match u64::from(n) { one = 1 => { a = act(lab, "a"); } other = _ => num(lab, 2); }
});
