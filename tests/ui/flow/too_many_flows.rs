// One flow more than may be within each other.
use steps::prelude::*;

#[step]
async fn inc(n: u32) -> Result<u32, String> {
    Ok(n + 1)
}

#[flow]
async fn f0() -> Result<u32, String> {
    steps! { n = inc(1); }
    Ok(n)
}

#[flow]
async fn f1() -> Result<u32, String> {
    steps! { n = flow f0(); }
    Ok(n)
}

#[flow]
async fn f2() -> Result<u32, String> {
    steps! { n = flow f1(); }
    Ok(n)
}

#[flow]
async fn f3() -> Result<u32, String> {
    steps! { n = flow f2(); }
    Ok(n)
}

#[flow]
async fn f4() -> Result<u32, String> {
    steps! { n = flow f3(); }
    Ok(n)
}

#[flow]
async fn f5() -> Result<u32, String> {
    steps! { n = flow f4(); }
    Ok(n)
}

#[flow]
async fn f6() -> Result<u32, String> {
    steps! { n = flow f5(); }
    Ok(n)
}

#[flow]
async fn f7() -> Result<u32, String> {
    steps! { n = flow f6(); }
    Ok(n)
}

#[flow]
async fn f8() -> Result<u32, String> {
    steps! { n = flow f7(); }
    Ok(n)
}

#[flow]
async fn f9() -> Result<u32, String> {
    steps! { n = flow f8(); }
    Ok(n)
}

#[flow]
async fn f10() -> Result<u32, String> {
    steps! { n = flow f9(); }
    Ok(n)
}

#[flow]
async fn f11() -> Result<u32, String> {
    steps! { n = flow f10(); }
    Ok(n)
}

#[flow]
async fn f12() -> Result<u32, String> {
    steps! { n = flow f11(); }
    Ok(n)
}

#[flow]
async fn f13() -> Result<u32, String> {
    steps! { n = flow f12(); }
    Ok(n)
}

#[flow]
async fn f14() -> Result<u32, String> {
    steps! { n = flow f13(); }
    Ok(n)
}

#[flow]
async fn f15() -> Result<u32, String> {
    steps! { n = flow f14(); }
    Ok(n)
}

#[flow]
async fn f16() -> Result<u32, String> {
    steps! { n = flow f15(); }
    Ok(n)
}

#[flow]
async fn f17() -> Result<u32, String> {
    steps! { n = flow f16(); }
    Ok(n)
}

#[flow]
async fn f18() -> Result<u32, String> {
    steps! { n = flow f17(); }
    Ok(n)
}

#[flow]
async fn f19() -> Result<u32, String> {
    steps! { n = flow f18(); }
    Ok(n)
}

#[flow]
async fn f20() -> Result<u32, String> {
    steps! { n = flow f19(); }
    Ok(n)
}

#[flow]
async fn f21() -> Result<u32, String> {
    steps! { n = flow f20(); }
    Ok(n)
}

fn main() {
    let _ = f21();
}
