// One level more than a flow may have, told at the line that is on it.
use steps::prelude::*;

#[step]
async fn inc(n: u32) -> Result<u32, String> {
    Ok(n + 1)
}

#[flow]
async fn deep() -> Result<(), String> {
    steps! {
        g46 = { g45 = { g44 = { g43 = { g42 = { g41 = { g40 = { g39 = { g38 = { g37 = { g36 = { g35 = { g34 = { g33 = { g32 = { g31 = { g30 = { g29 = { g28 = { g27 = { g26 = { g25 = { g24 = { g23 = { g22 = { g21 = { g20 = { g19 = { g18 = { g17 = { g16 = { g15 = { g14 = { g13 = { g12 = { g11 = { g10 = { g9 = { g8 = { g7 = { g6 = { g5 = { g4 = { g3 = { g2 = { g1 = { g0 = { s = inc(1); } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } } }
    }
    Ok(())
}

fn main() {
    let _ = deep();
}
