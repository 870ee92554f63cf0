//! Tests of each rule, then simulated machines on which the bound must settle.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn controller(flows: std::ops::RangeInclusive<usize>) -> Controller {
    Controller::new(Concurrency::adaptive(flows, 0.8))
}

/// Feeds one window of equal samples, and returns the bound after it.
fn window(controller: &mut Controller, busy: usize, load: f64, now: &mut Instant) -> usize {
    if controller.window.is_none() {
        controller.step(busy, load, *now);
    }
    for _ in 0..3 {
        *now += SECOND;
        controller.step(busy, load, *now);
    }
    controller.limit
}

#[test]
fn what_is_used_up_grows_while_the_load_is_below_the_mark() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    assert_eq!(window(&mut c, 10, 0.1, &mut now), 15);
    assert_eq!(window(&mut c, 15, 0.6, &mut now), 20);
    assert_eq!(window(&mut c, 20, 0.0, &mut now), 30);
}

#[test]
fn what_is_not_used_up_does_not_grow() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    assert_eq!(window(&mut c, 8, 0.1, &mut now), 10);
    assert_eq!(window(&mut c, 9, 0.1, &mut now), 15);
}

#[test]
fn near_the_mark_nothing_changes() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    window(&mut c, 10, 0.1, &mut now);
    for load in [0.73, 0.79, 0.75] {
        assert_eq!(window(&mut c, 15, load, &mut now), 15);
    }
}

#[test]
fn above_the_mark_it_shrinks_by_what_is_too_much_and_not_below_the_least() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    c.limit = 100;
    assert_eq!(window(&mut c, 100, 1.0, &mut now), 80);
    assert_eq!(window(&mut c, 80, 0.9, &mut now), 71);
    // It scales the busy number, so that it has an effect.
    assert_eq!(window(&mut c, 40, 1.0, &mut now), 32);
    for _ in 0..9 {
        let busy = c.limit;
        window(&mut c, busy, 1.0, &mut now);
    }
    assert_eq!(c.limit, 10);
}

#[test]
fn it_waits_until_a_smaller_bound_has_an_effect() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    c.limit = 50;
    for _ in 0..5 {
        assert_eq!(window(&mut c, 80, 1.0, &mut now), 50);
    }
    assert_eq!(window(&mut c, 50, 1.0, &mut now), 40);
}

#[test]
fn what_is_not_needed_is_given_back_bit_by_bit() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    c.limit = 80;
    assert_eq!(window(&mut c, 61, 0.1, &mut now), 80);
    assert_eq!(window(&mut c, 40, 0.1, &mut now), 70);
    for _ in 0..20 {
        window(&mut c, 0, 0.0, &mut now);
    }
    assert_eq!(c.limit, 10);
}

#[test]
fn one_moment_decides_nothing() {
    let (mut c, mut now) = (controller(10..=100), Instant::now());
    c.step(10, 0.1, now);
    for load in [0.9, 0.7, 0.7] {
        now += SECOND;
        c.step(10, load, now);
    }
    // The average is 0.77, near the mark.
    assert_eq!(c.limit, 10);
}

#[test]
fn one_flow_can_become_two() {
    let (mut c, mut now) = (controller(1..=3), Instant::now());
    assert_eq!(window(&mut c, 1, 0.7, &mut now), 2);
    assert_eq!(window(&mut c, 2, 0.2, &mut now), 3);
    assert_eq!(window(&mut c, 3, 0.2, &mut now), 3);
}

/// A machine with more flows than may run.
struct Machine {
    /// The load that one flow causes.
    each: f64,
    /// The load of everything else.
    other: f64,
    /// The fraction of the running flows that end in a second.
    ends: f64,
    busy: f64,
    noise: u32,
}

impl Machine {
    fn new(each: f64, other: f64) -> Self {
        Self {
            each,
            other,
            ends: 1.0,
            busy: 0.0,
            noise: 1,
        }
    }

    /// Simulates one second.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    fn second(&mut self, limit: usize, wanted: usize) -> (usize, f64) {
        let room = limit.min(wanted) as f64;
        self.busy = room.max(self.busy * (1.0 - self.ends));
        // Up to 5 % in either direction.
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let noise = 1.0 + (f64::from(self.noise >> 16) / 65_536.0 - 0.5) / 10.0;
        let load = (self.other + self.each * self.busy) * noise;
        (self.busy as usize, load.min(1.0))
    }
}

/// Returns the bound for each second.
fn simulate(
    c: &mut Controller,
    machine: &mut Machine,
    wanted: usize,
    seconds: usize,
) -> Vec<usize> {
    let mut now = Instant::now();
    c.window = None;
    (0..seconds)
        .map(|_| {
            now += SECOND;
            let (busy, load) = machine.second(c.limit, wanted);
            c.step(busy, load, now)
        })
        .collect()
}

/// Returns how often a sequence turns back by more than a sixth of its last extreme, and by more
/// than 3.
fn turns(limits: &[usize]) -> usize {
    let far = |from: usize, to: usize| from.abs_diff(to) > 3 + from / 6;
    let (mut low, mut high) = (limits[0], limits[0]);
    let (mut turns, mut rising) = (0, None);
    for &limit in limits {
        (low, high) = (low.min(limit), high.max(limit));
        if rising != Some(true) && limit > low && far(low, limit) {
            turns += usize::from(rising.is_some());
            (rising, high) = (Some(true), limit);
        }
        if rising != Some(false) && limit < high && far(high, limit) {
            turns += usize::from(rising.is_some());
            (rising, low) = (Some(false), limit);
        }
    }
    turns
}

#[test]
fn a_sequence_that_swings_is_seen_to() {
    assert_eq!(turns(&[10, 20, 30, 31, 30, 31]), 0);
    assert_eq!(turns(&[10, 20, 30, 20, 15, 14]), 1);
    assert_eq!(turns(&[10, 20, 10, 20, 10, 20]), 4);
}

#[test]
fn it_finds_the_place_where_the_load_is_at_the_mark_and_stays_there() {
    for (each, other, place) in [(0.001, 0.0, 800), (0.004, 0.2, 150), (0.02, 0.0, 40)] {
        let mut c = controller(16..=2000);
        let limits = simulate(&mut c, &mut Machine::new(each, other), 5000, 600);
        let settled = &limits[120..];
        let (low, high) = (settled.iter().min().unwrap(), settled.iter().max().unwrap());
        assert!(
            *low >= place * 17 / 20 && *high <= place * 21 / 20,
            "{low} to {high}, where {place} are right"
        );
        assert!(turns(&limits) <= 1, "{} turns", turns(&limits));
    }
}

#[test]
fn another_program_that_takes_the_processor_gets_it_and_gives_it_back() {
    let mut c = controller(16..=1000);
    let mut machine = Machine::new(0.001, 0.0);
    simulate(&mut c, &mut machine, 5000, 120);
    assert!(c.limit > 650, "{}", c.limit);
    machine.other = 0.6;
    let limits = simulate(&mut c, &mut machine, 5000, 180);
    assert!((150..=230).contains(&c.limit), "{}", c.limit);
    assert!(turns(&limits) <= 1, "{limits:?}");
    machine.other = 2.0;
    simulate(&mut c, &mut machine, 5000, 120);
    assert_eq!(c.limit, 16);
    machine.other = 0.0;
    simulate(&mut c, &mut machine, 5000, 120);
    assert!(c.limit > 650, "{}", c.limit);
}

#[test]
fn flows_that_take_long_to_end_do_not_make_it_swing() {
    let mut c = controller(16..=1000);
    let mut machine = Machine::new(0.002, 0.0);
    // One in fifty ends in a second.
    machine.ends = 0.02;
    simulate(&mut c, &mut machine, 5000, 120);
    machine.other = 0.4;
    let limits = simulate(&mut c, &mut machine, 5000, 600);
    assert!((150..=230).contains(&c.limit), "{}", c.limit);
    assert!(turns(&limits) <= 1, "{limits:?}");
    assert!(limits.iter().all(|limit| *limit >= 120), "{limits:?}");
}

#[test]
fn a_burst_extends_it_and_it_shrinks_again_afterwards() {
    let mut c = controller(16..=1000);
    let mut machine = Machine::new(0.0005, 0.0);
    simulate(&mut c, &mut machine, 400, 120);
    assert!(c.limit >= 400, "{}", c.limit);
    simulate(&mut c, &mut machine, 10, 180);
    assert_eq!(c.limit, 16);
}

proptest! {
    #[test]
    fn it_stays_within_its_bounds_whatever_it_is_told(
        min in 0..50_usize, more in 0..500_usize, cpu in any::<f64>(),
        samples in prop::collection::vec((0..10_000_usize, 0.0..=1.0_f64, 0..5_000_u64), 0..60),
    ) {
        let concurrency = Concurrency::adaptive(min..=min + more, cpu);
        let mut c = Controller::new(concurrency);
        let mut now = Instant::now();
        for (busy, load, millis) in samples {
            now += Duration::from_millis(millis);
            let limit = c.step(busy, load, now);
            prop_assert!((concurrency.least()..=concurrency.most()).contains(&limit));
        }
    }

    #[test]
    fn on_a_steady_machine_it_never_swings(
        each in 0.0001..0.05_f64, other in 0.0..0.6_f64, ends in 0.05..=1.0_f64,
        begin in 16..2000_usize,
    ) {
        let mut c = controller(16..=2000);
        c.limit = begin;
        let mut machine = Machine::new(each, other);
        machine.ends = ends;
        let limits = simulate(&mut c, &mut machine, 5000, 900);
        // The first move from its start value, then at most one turn, because of the noise.
        prop_assert!(turns(&limits) <= 1, "{} turns: {limits:?}", turns(&limits));
        let settled = &limits[600..];
        let (low, high) = (settled.iter().min().unwrap(), settled.iter().max().unwrap());
        prop_assert!(high - low <= high / 3 + 3, "{low} to {high}");
    }
}
