//! A step with as many parameters as one with handlers may have.

use steps::prelude::*;

#[expect(clippy::too_many_arguments, reason = "it is about many")]
#[step]
async fn many(
    a0: u32,
    _a1: u32,
    _a2: u32,
    _a3: u32,
    _a4: u32,
    _a5: u32,
    _a6: u32,
    _a7: u32,
    _a8: u32,
    _a9: u32,
    _a10: u32,
    _a11: u32,
    _a12: u32,
    _a13: u32,
    _a14: u32,
    _a15: u32,
    _a16: u32,
    _a17: u32,
    _a18: u32,
    _a19: u32,
    _a20: u32,
    _a21: u32,
    _a22: u32,
    _a23: u32,
    _a24: u32,
    _a25: u32,
    _a26: u32,
    _a27: u32,
    _a28: u32,
    _a29: u32,
    _a30: u32,
    a31: u32,
) -> Result<u32, String> {
    Ok(a0 + a31)
}

#[expect(clippy::too_many_arguments, reason = "it is about many")]
#[undo(many)]
async fn unmany(
    a0: u32,
    _a1: u32,
    _a2: u32,
    _a3: u32,
    _a4: u32,
    _a5: u32,
    _a6: u32,
    _a7: u32,
    _a8: u32,
    _a9: u32,
    _a10: u32,
    _a11: u32,
    _a12: u32,
    _a13: u32,
    _a14: u32,
    _a15: u32,
    _a16: u32,
    _a17: u32,
    _a18: u32,
    _a19: u32,
    _a20: u32,
    _a21: u32,
    _a22: u32,
    _a23: u32,
    _a24: u32,
    _a25: u32,
    _a26: u32,
    _a27: u32,
    _a28: u32,
    _a29: u32,
    _a30: u32,
    _a31: u32,
    _: &u32,
) -> Result<(), String> {
    if a0 == 7 {
        Ok(())
    } else {
        Err("another one".to_owned())
    }
}

#[flow]
async fn manifold(n: u32) -> Result<u32, String> {
    steps! { all = many(n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n); }
    Ok(all)
}

/// There were at most 16, and an error that said something else.
#[tokio::test]
async fn a_step_of_32_parameters_is_undone() {
    let (sum, state) = manifold(7).with_state().await.unwrap();
    assert_eq!(sum, 14);
    let undone = manifold(7).resume(state).undo().await.unwrap_err();
    assert_eq!(undone.status(), Status::Undone);
}
