//! A file without errors.

use serde::{Deserialize, Serialize};
use steps::prelude::*;

pub struct Bakery { pub town: String }

#[derive(Clone, Serialize, Deserialize)]
pub struct Order { pub loaves: u32, pub by_whom: String } //@ Order

#[derive(Clone, Serialize, Deserialize)]
pub struct Dough { pub grams: u64, pub flour: String } //@ Dough

/// Whether to knead again.
fn is_sticky(error: &String) -> bool { error.contains("sticky") } //@ is_sticky

/// Mixes water and flour.
#[step(retry(times = 5, every = "200ms", when = is_sticky/*? goto is_sticky */))]
pub async fn knead(bakery: &Bakery, flour: &str) -> Result<Dough/*? goto Dough */, String> { //@ knead
    let _ = (&bakery.town/*? hover town: String */, flour);
    Err("too sticky".into())
}

#[undo(knead/*? goto knead; hover Mixes water and flour */)]
pub async fn feed_the_birds(bakery: &Bakery, flour: &str, dough: &Dough) -> Result<(), String> {
    let _ = (bakery, flour, dough./*? offers grams flour */grams);
    Ok(())
}

#[step]
pub async fn bake(bakery: &Bakery, dough: &Dough, loaves: u32) -> Result<u32, String> { //@ bake
    let _ = (bakery, dough);
    Ok(loaves)
}

#[step(blocking)]
pub fn weigh(dough: Dough) -> Result<u64, String> { //@ weigh
    Ok(dough.grams)
}

#[flow]
pub async fn deliver(bakery: &Bakery, loaves: u32) -> Result<String, String> { //@ deliver
    steps! {
        rest = steps::sleep/*? hover pub fn sleep(duration: impl AsDuration) */(std::time::Duration::from_secs(1));
        yes = steps::signal::<bool>();
    }
    let _ = (rest, yes, bakery);
    Ok(format!("{loaves}"))
}

#[flow]
pub async fn supply(bakery: &Bakery, order: Order) -> Result<u32, String> { //@ supply
    steps! {
        make = parallel {
            dough = knead/*? goto knead; hover Mixes water and flour; hover pub async fn knead(bakery: &Bakery, flour: &str) */(bakery, &order./*? offers loaves by_whom */by_whom);
        }
        bake(bakery, &make./*? offers dough */dough/*? hover Dough */, order/*? goto supply */.loaves);
        again = if make.dough.grams > 3 { //@ again
            more = bake/*? goto bake */(bakery/*? offers bakery order make bake */, &make.dough, bake); //@ more
        }
        weight = weigh/*? goto weigh; hover pub fn weigh(dough: Dough) */(make.dough.clone());
        sent = flow deliver/*? goto deliver */(bakery, order.loaves); //@ sent
        each = for letter in order.by_whom.chars() by letter parallel {
            #[optional] loaf = bake(bakery, &make.dough, letter/*? hover char */ as u32);
        }
    }
    let _ = (&again/*? goto again */, &sent/*? hover String */, each, weight);
    Ok(bake)
}

#[flow]
pub async fn hurry(bakery: &Bakery, order: Order) -> Result<u32, String> { //@ hurry
    steps! {
        sticky = knead(bakery, &order.by_whom);
        first = race { //@ first
            warm = bake/*? goto bake; hover pub async fn bake */(bakery, &sticky/*? hover Dough */, 1); //@ warm
            late = steps::sleep("1h");
        }
        child = start deliver/*? goto deliver */(order/*? goto hurry */.loaves).label("by", &order./*? offers loaves by_whom */by_whom); //@ child
        told = join child/*? goto child */; //@ told
        more = match order.by_whom/*? offers loaves by_whom */.len() { //@ more_of
            many = n if n > 3 => { second = bake(bakery, &sticky, n/*? hover usize */ as u32); } //@ second
            few = _ => knead/*? goto knead */(bakery, "rye");
        };
        #[caught]
        burnt = bake(bakery, &sticky, 9);
    }
    let baked = match first/*? goto first */ {
        HurryFirst::Warm(loaves/*? hover u32 */) => loaves,
        HurryFirst::Late(()) => 0,
    };
    let _ = match more/*? goto more_of */ {
        HurryMore::Many(many) => many.second/*? hover u32 */,
        HurryMore::Few(dough) => u32::try_from(dough./*? offers grams flour */grams).unwrap_or(0),
    };
    let burnt: Result<u32, steps::StepFailure> = burnt/*? hover Result<u32, StepFailure> */;
    Ok(baked + u32::try_from(told/*? hover String */.len()).unwrap_or(0) + burnt.unwrap_or(0))
}

pub fn look(state: &SupplyState) {
    let _ = state./*? offers make bake again sent each */sent.output();
    let _ = supply::/*? offers STEPS with input resume */STEPS./*? offers make again sent */again/*? goto again */.more/*? goto more */;
}
