#!/usr/bin/env bash
# cron 0.17.0, with chrono 0.4.45 and chrono-tz 0.10.4
#
# In the hour that the clock shows twice, 1 November 2026 from 1 to 2 o'clock in New York, the next time
# after 01:10 EST is said to be 01:30 EDT, which was forty minutes before. The iterator gives the times of
# that hour out of order, each clock time in both hours before the next clock time.
#
# Whoever asks for "the next after the last" goes back in time there, and whoever takes the answer for
# overdue starts the job at once.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
chrono = { version = "=0.4.45", default-features = false }
chrono-tz = { version = "=0.10.4", default-features = false }
cron = "=0.17.0"

[workspace]
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::America::New_York;
use cron::Schedule;

fn main() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time").with_timezone(&New_York);
    let schedule = Schedule::from_str("0 */30 1 * * *").expect("a valid expression");
    let asked = at("2026-11-01T06:10:00Z");
    let next = schedule.after(&asked).next().expect("it has a next time");
    println!("after {}: {}, later: {}", asked.to_rfc3339(), next.to_rfc3339(), next > asked);
    for next in schedule.after(&at("2026-11-01T04:00:00Z")).take(4) {
        println!("{}", next.to_utc().to_rfc3339());
    }
}
RUST
seen=$(cd "$dir" && cargo run --quiet)
expected='after 2026-11-01T01:10:00-05:00: 2026-11-01T01:30:00-04:00, later: false
2026-11-01T05:00:00+00:00
2026-11-01T06:00:00+00:00
2026-11-01T05:30:00+00:00
2026-11-01T06:30:00+00:00'
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with these versions:\n%s\n' "$expected" >&2
    exit 1
fi
