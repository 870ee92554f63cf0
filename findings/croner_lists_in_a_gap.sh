#!/usr/bin/env bash
# croner 4.0.3, with chrono 0.4.45 and chrono-tz 0.10.4
#
# On the day on which the clock goes forward, 8 March 2026 from 2 to 3 o'clock in New York, an expression
# with one time in the hour that is left out runs once, at 3 o'clock: the day's run is not lost. The same
# time in a list or by a step of minutes, or beside another hour, is lost: nothing runs for it that day.
# And the name of a weekday or of a month is read in any field: `0 0 MON * *` is the first of each month.
#
# So a job for which a second time is added loses its run on one night of the year, without a word.
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
chrono = { version = "=0.4.45", default-features = false, features = ["std"] }
chrono-tz = { version = "=0.10.4", default-features = false }
croner = "=4.0.3"

[workspace]
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::America::New_York;
use croner::Cron;

fn main() {
    let midnight: DateTime<Utc> = "2026-03-08T05:00:00Z".parse().expect("a time");
    for text in ["30 2 * * *", "0,30 2 * * *", "*/30 2 * * *", "0 2,14 * * *", "0 0 MON * *"] {
        let cron = Cron::from_str(text).expect("a valid expression");
        let first = cron.iter_after(midnight.with_timezone(&New_York)).next();
        println!("{text} -> {}", first.expect("it has a next time").to_rfc3339());
    }
}
RUST
seen=$(cd "$dir" && cargo run --quiet)
expected='30 2 * * * -> 2026-03-08T03:00:00-04:00
0,30 2 * * * -> 2026-03-09T02:00:00-04:00
*/30 2 * * * -> 2026-03-09T02:00:00-04:00
0 2,14 * * * -> 2026-03-08T14:00:00-04:00
0 0 MON * * -> 2026-04-01T00:00:00-04:00'
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with these versions:\n%s\n' "$expected" >&2
    exit 1
fi
