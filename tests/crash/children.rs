//! Children: cut off between the parent's record and the child's first, while the child runs, while it is
//! undone, and while its parent waits for any of that.

use steps::{
    Status, With,
    prelude::*,
    testing::{Explorer, Fault, Injected, Lab},
};

use crate::basics::{act, charge};

/// The child.
#[flow]
pub(crate) async fn kid(lab: &Lab, name: String) -> Result<String, Injected> {
    steps! {
        one = act(lab, &format!("{name} one"));
        two = charge(lab, &format!("{name} two"));
    }
    Ok(format!("{one}, {two}"))
}

/// One child by its id, one that nobody names, and a step after both.
#[flow]
pub(crate) async fn parent(lab: &Lab) -> Result<String, Injected> {
    steps! {
        a     = act(lab, "a");
        first = start kid("first".to_owned()).id(format!("{}-first", cx.execution()));
        b     = charge(lab, "b");
        second = start kid("second".to_owned());
        one   = join first;
        two   = join second;
        last  = act(lab, "last");
    }
    let _ = (a, b, last);
    Ok(format!("{one}; {two}"))
}

/// All children at once, and what was started for each joined beside the others.
#[flow]
pub(crate) async fn many(lab: &Lab) -> Result<usize, Injected> {
    steps! {
        all = for name in ["x", "y"] by name parallel {
            child = start kid(name.to_owned());
            out   = join child;
        }
        last = act(lab, "last");
    }
    let _ = last;
    Ok(all.len())
}

pub(crate) fn kids(lab: &Lab) -> With<kid> {
    kid::with(lab.clone())
}

/// A child that is done is whole.
pub(crate) fn explorer<M, R>(explorer: Explorer<M, R>) -> Explorer<M, R> {
    let faults = [Fault::FailBefore, Fault::PanicAfter];
    let explorer = explorer.faults(faults).serving(kids).concurrent();
    explorer.check(|lab, state| {
        let there = lab.there();
        if state.status == Status::Done
            && let Some(missing) = there.iter().find(|name| name.ends_with("one"))
            && !there.contains(&missing.replace("one", "two"))
        {
            return Err(format!("`{missing}` without its second half"));
        }
        Ok(())
    })
}
