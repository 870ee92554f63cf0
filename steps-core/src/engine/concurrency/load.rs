//! The load of the processor: read from `/proc/stat` on Linux, unknown elsewhere.
//!
//! Other systems offer it only through calls into C, which need `unsafe` or a large system crate.
//! One number is not worth that.

/// The processor time since the machine was started, total and used, in ticks over all cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    used: u64,
    all: u64,
}

impl Ticks {
    /// Reads the first line of `/proc/stat`: see `proc_stat(5)`.
    ///
    /// Idle is the time spent waiting, for nothing or for a disk. Everything else is used,
    /// including the time that another machine on the same hardware took (`steal`), because it is
    /// not available here. A guest's time is already part of `user`.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let mut numbers = [0_u64; 8];
        let mut count = 0;
        for (number, word) in numbers.iter_mut().zip(line.split_ascii_whitespace()) {
            *number = word.parse().ok()?;
            count += 1;
        }
        // Linux before 2.5.41 had four columns; the later ones count as 0 there.
        if count < 4 {
            return None;
        }
        let [user, nice, system, idle, iowait, irq, softirq, steal] = numbers;
        let sum = |parts: &[u64]| parts.iter().copied().fold(0, u64::saturating_add);
        let busy = sum(&[user, nice, system, irq, softirq, steal]);
        Some(Self {
            used: busy,
            all: sum(&[busy, idle, iowait]),
        })
    }

    #[cfg(target_os = "linux")]
    fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    #[cfg(not(target_os = "linux"))]
    fn now() -> Option<Self> {
        None
    }

    /// Returns the fraction that was used between `before` and now; `None` if no tick has passed. A
    /// counter may go back a little: that of a removed core, and `iowait`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the ticks of a few seconds, of which the part is wanted"
    )]
    fn load_since(self, before: Self) -> Option<f64> {
        let used = self.used.saturating_sub(before.used);
        let all = self.all.saturating_sub(before.all);
        (all > 0).then(|| (used as f64 / all as f64).min(1.0))
    }
}

/// Measures the load from one call to the next.
#[derive(Debug, Default)]
pub(super) struct Load {
    before: Option<Ticks>,
}

impl Load {
    /// Returns whether this system offers the load.
    pub(super) fn is_known(&self) -> bool {
        self.before.is_some() || Ticks::now().is_some()
    }

    /// Returns the load of the whole machine since the previous call, from 0.0 to 1.0. `None` at
    /// the first call, and if it is unknown.
    pub(super) fn sample(&mut self) -> Option<f64> {
        let now = Ticks::now()?;
        let before = self.before.replace(now)?;
        now.load_since(before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAT: &str = "cpu  100 20 30 800 40 5 5 10 7 3\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1 2 3\n";

    #[test]
    fn the_first_line_is_the_whole_machine() {
        let ticks = Ticks::parse(STAT).unwrap();
        assert_eq!((ticks.used, ticks.all), (170, 1010));
    }

    #[test]
    fn an_old_system_has_fewer_columns() {
        let ticks = Ticks::parse("cpu 1 2 3 4\n").unwrap();
        assert_eq!((ticks.used, ticks.all), (6, 10));
    }

    #[test]
    fn what_is_no_such_file_gives_nothing() {
        for text in [
            "",
            "cpu",
            "cpu \n",
            "cpu 1 2 3",
            "cpu0 1 2 3 4",
            "cpu a b c d",
            "cpu 1 2 -3 4",
        ] {
            assert_eq!(Ticks::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_load_is_the_part_that_was_used_in_between() {
        let ticks = |used, all| Ticks { used, all };
        assert_eq!(ticks(30, 140).load_since(ticks(10, 100)), Some(0.5));
        assert_eq!(ticks(10, 100).load_since(ticks(10, 100)), None);
        // Counters that went back.
        assert_eq!(ticks(5, 140).load_since(ticks(10, 100)), Some(0.0));
        assert_eq!(ticks(60, 110).load_since(ticks(10, 100)), Some(1.0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_a_load() {
        let mut load = Load::default();
        assert_eq!(load.sample(), None);
        let begun = std::time::Instant::now();
        let seen = loop {
            // Some work, so that there is a load.
            std::hint::black_box((0..100_000_u64).fold(0, u64::wrapping_add));
            if let Some(seen) = load.sample() {
                break seen;
            }
            assert!(begun.elapsed().as_secs() < 10, "no tick in ten seconds");
        };
        assert!((0.0..=1.0).contains(&seen), "{seen}");
        assert!(
            std::fs::read_to_string("/proc/stat").is_ok_and(|text| Ticks::parse(&text).is_some())
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(cpu )?[0-9 a-z\n-]{0,80}") {
            let _ = Ticks::parse(&text);
        }

        #[test]
        fn a_load_is_always_between_nothing_and_all(
            before in any::<[u64; 8]>(), after in any::<[u64; 8]>(),
        ) {
            let ticks = |numbers: [u64; 8]| {
                let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
                Ticks::parse(&format!("cpu  {}\n", words.join(" "))).unwrap()
            };
            if let Some(load) = ticks(after).load_since(ticks(before)) {
                prop_assert!((0.0..=1.0).contains(&load), "{load}");
            }
        }
    }
}
