//! A file in the middle of typing.

use serde::{Deserialize, Serialize};
use steps::prelude::*;

pub struct Bakery { pub town: String }

#[derive(Clone, Serialize, Deserialize)]
pub struct Dough { pub grams: u64, pub flour: String }

#[step]
pub async fn knead(bakery: &Bakery, flour: &str) -> Result<Dough, String> {
    let _ = (bakery, flour);
    Err("too sticky".into())
}

#[step]
pub async fn bake(bakery: &Bakery, dough: &Dough) -> Result<u32, String> {
    let _ = (bakery, dough);
    Ok(1)
}

#[undo(ba/*? offers bake */)]
pub async fn eat(bakery: &Bakery, dough: &Dough, loaves: &u32) -> Result<(), String> {
    let _ = (bakery, dough, loaves);
    Ok(())
}

#[flow]
pub async fn name_of_a_step(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        loaves = ba/*? offers bake bakery dough */
    }
    Ok(1)
}

#[flow]
pub async fn no_semicolon(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        loaves = bake(bakery, &dough./*? offers grams flour */)
        later = bake(bakery, &dou/*? offers dough bakery loaves */gh);
    }
    Ok(loaves)
}

#[flow]
pub async fn argument(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &fl/*? offers flour bakery */);
        loaves = bake(bakery, &d/*? offers dough flour */);
    }
    Ok(loaves)
}

#[flow]
pub async fn no_name(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        bake(bakery, &dough./*? offers grams flour */)
        kne/*? offers knead dough */
    }
    Ok(1)
}

#[flow]
pub async fn groups(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        some = if dough./*? offers grams flour */
        each = for kind in flour./*? offers */
        both = parallel { one = bake(bakery, &dough); two = bake(ba/*? offers bakery dough one */); }
    }
    Ok(both.on/*? offers one two */)
}

#[flow]
pub async fn choices(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        first = race { one = bake(bakery, &dou/*? offers dough flour */); two = ba/*? offers bake bakery dough */ }
        child = start no_/*? offers no_name no_semicolon */
        told = join chi/*? offers child dough */
        named = start argument(flour.clone()).id(dough./*? offers grams flour */).label("of", flour.as_str());
        way = match dough./*? offers grams flour */ { many = n if n > 3 => bake(bakery, &dough); few = _ => bake(bakery, &dou/*? offers dough */); }
        or = if dough./*? offers grams flour */ { one = bake(bakery, &dough); }
    }
    Ok(1)
}

#[flow]
pub async fn unclosed(bakery: &Bakery, flour: String) -> Result<u32, String> {
    steps! {
        dough = knead(bakery, &flour);
        loaves = bake(ba/*? offers bakery flour dough */
    }
    Ok(1)
}
