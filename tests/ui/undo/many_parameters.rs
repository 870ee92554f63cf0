//! A step with handlers has a bound on its parameters.

use steps::prelude::*;

#[expect(clippy::too_many_arguments, reason = "the case")]
#[step]
async fn make(p0: u32, _p1: u32, _p2: u32, _p3: u32, _p4: u32, _p5: u32, _p6: u32, _p7: u32, _p8: u32, _p9: u32, _p10: u32, _p11: u32, _p12: u32, _p13: u32, _p14: u32, _p15: u32, _p16: u32, _p17: u32, _p18: u32, _p19: u32, _p20: u32, _p21: u32, _p22: u32, _p23: u32, _p24: u32, _p25: u32, _p26: u32, _p27: u32, _p28: u32, _p29: u32, _p30: u32, _p31: u32, p32: u32) -> Result<u32, String> {
    Ok(p0 + p32)
}

#[undo(make)]
async fn unmake(_p0: u32, _p1: u32, _p2: u32, _p3: u32, _p4: u32, _p5: u32, _p6: u32, _p7: u32, _p8: u32, _p9: u32, _p10: u32, _p11: u32, _p12: u32, _p13: u32, _p14: u32, _p15: u32, _p16: u32, _p17: u32, _p18: u32, _p19: u32, _p20: u32, _p21: u32, _p22: u32, _p23: u32, _p24: u32, _p25: u32, _p26: u32, _p27: u32, _p28: u32, _p29: u32, _p30: u32, _p31: u32, _p32: u32, _made: &u32) -> Result<(), String> {
    Ok(())
}

fn main() {}
