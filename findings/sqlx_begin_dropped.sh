#!/usr/bin/env bash
# sqlx 0.9.0 on PostgreSQL, with tokio 1.54
#
# A future of `pool.begin()` is dropped while the server answers, as by a timeout or in a `select!`. The connection
# goes back to its pool in the transaction that was begun. Whoever gets it next works in that transaction without
# knowing: an INSERT of its own is acknowledged, and is never committed. sqlx does roll back what was begun and
# dropped, but asks its count of open transactions first, and that is raised only when the answer has come.
#
# So a service that gives up a `begin` loses what it writes afterwards. To begin in a task of its own, and to drop the
# transaction that comes of it, is safe.
#
# Needs PostgreSQL's server programs, as of Debian's package `postgresql`, and a user who may start them.
set -euo pipefail
dir=$(mktemp -d)
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1 || true)
programs=${programs:-$(dirname "$(command -v initdb || echo /missing/initdb)")}
[[ -x $programs/initdb ]] || { echo "PostgreSQL's server programs are missing: install postgresql" >&2; exit 1; }
# The server refuses to be root's.
as=()
if [[ $(id -u) == 0 ]]; then
    as=(runuser -u postgres --)
    chmod 755 "$dir"
fi
mkdir "$dir/server" "$dir/src"
[[ $(id -u) != 0 ]] || chown postgres "$dir/server"
stop() {
    [[ ! -f $dir/server/data/postmaster.pid ]] || kill -INT "$(head -1 "$dir/server/data/postmaster.pid")"
    wait
    rm -rf "$dir"
}
trap stop EXIT
(cd "$dir/server" && "${as[@]}" "$programs/initdb" -D data -U probe --auth=trust --no-sync >/dev/null)
(cd "$dir/server" && exec "${as[@]}" "$programs/postgres" -D data -k "$dir/server" -h '' >log 2>&1) &
until "$programs/pg_isready" -q -h "$dir/server"; do sleep 0.1; done

cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
futures-util = { version = "=0.3.34", default-features = false, features = ["async-await", "std"] }
sqlx = { version = "=0.9.0", default-features = false, features = ["postgres", "runtime-tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "time"] }

[workspace]
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::time::Duration;

use sqlx::{PgPool, postgres::PgPoolOptions};

async fn rows(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM t");
    count.fetch_one(pool).await.expect("a count")
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("a URL");
    let options = PgPoolOptions::new().max_connections(1);
    let pool = options.clone().connect(&url).await.expect("a pool");
    let other = options.connect(&url).await.expect("another one");
    sqlx::query("CREATE TABLE t (n int)").execute(&other).await.expect("a table");
    for polls in 1.. {
        let before = rows(&other).await;
        let mut begin = Box::pin(pool.begin());
        let mut is_over = false;
        for _ in 0..polls {
            is_over = futures_util::poll!(&mut begin).is_ready();
            if is_over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(begin);
        sqlx::query("INSERT INTO t VALUES (1)").execute(&pool).await.expect("it is acknowledged");
        if rows(&other).await == before {
            println!("acknowledged, and nobody else sees it");
            drop(pool);
            tokio::time::sleep(Duration::from_millis(500)).await;
            println!("rows when its pool is gone: {}", rows(&other).await - before);
            return;
        }
        if is_over {
            println!("each INSERT was committed");
            return;
        }
    }
}
RUST
seen=$(cd "$dir" && cargo run --quiet -- "postgres://probe@localhost/postgres?host=$dir/server")
expected='acknowledged, and nobody else sees it
rows when its pool is gone: 0'
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with these versions:\n%s\n' "$expected" >&2
    exit 1
fi
