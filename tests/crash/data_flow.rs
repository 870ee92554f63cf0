//! Lines of a `parallel` that use each other's values.

use std::time::Duration;

use steps::{
    Status,
    prelude::*,
    testing::{Explorer, Injected, Lab},
};

use crate::basics::{act, charge, count};

#[flow]
pub(crate) async fn diamond(lab: &Lab) -> Result<String, Injected> {
    steps! {
        p = parallel {
            a = act(lab, "a");
            b = charge(lab, &format!("b of {a}"));
            c = { x = charge(lab, &format!("c of {a}")); pause = steps::sleep(Duration::from_millis(5)); }
            d = charge(lab, &format!("d of {b}, {}", c.x));
            #[optional]
            f = count(lab, b, 1);
        }
        last = act(lab, &p.d);
    }
    Ok(last)
}

#[tokio::test]
async fn a_diamond() {
    let report = Explorer::new(Lab::clone, diamond)
        .once(["b of did a"])
        .concurrent()
        .check(|lab, state| {
            // What used a line is there only while that is.
            let there = lab.there();
            let has = |name: &str| there.iter().any(|it| it.starts_with(name));
            let ended = matches!(state.status, Status::Done | Status::Undone);
            for (user, used) in [
                ("b of", "a"),
                ("c of", "a"),
                ("d of", "b of"),
                ("d of", "c of"),
            ] {
                if ended && has(user) && !has(used) {
                    return Err(format!("`{user}` without `{used}`: {there:?}"));
                }
            }
            Ok(())
        })
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo c of did a"), "{report:?}");
    assert_eq!(
        report.ends.into_iter().collect::<Vec<_>>(),
        ["done", "stuck", "undone"]
    );
}
