#!/usr/bin/env bash
# SQLite 3.51.3, by apsw 3.51.3.0
#
# Two tables are joined by a range of row numbers: the rows of a parent have its key in their upper bits. So
# each parent's rows are one search by row number. Where the query also asks for a value of a column that
# has no index, SQLite makes an index of that column for the query and drops the search by row number: for
# each parent it goes through all rows with that value. The same query without the condition does what it
# did. With twice as many parents it takes four times as long in place of twice. A view hides the join from
# whoever adds the condition.
#
# `NOT INDEXED` behind the table keeps the search by row number, as that is not an index in SQLite's sense.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.51.3.0
cat >"$dir/probe.py" <<'PY'
import apsw

FORMS = {
    "as it is": "JOIN rows r",
    "NOT INDEXED": "CROSS JOIN rows r NOT INDEXED",
}


def steps(parents, form, condition):
    """The plan for the rows, and how many thousand steps SQLite's machine takes."""
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE parents (key INTEGER PRIMARY KEY)")
    db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, word TEXT)")
    keys = range(1, parents + 1)
    db.executemany("INSERT INTO parents VALUES (?)", ([key] for key in keys))
    rows = ([key << 24 | n] for key in keys for n in range(1, 11))
    db.executemany("INSERT INTO rows VALUES (?, 'done')", rows)
    db.execute(
        f"CREATE VIEW seen AS SELECT p.key, r.word FROM parents p {FORMS[form]} "
        "ON r.id BETWEEN p.key << 24 AND (p.key << 24) + 16777215"
    )
    query = f"SELECT count(*) FROM seen {condition}"
    plan = [line[3] for line in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    count = 0

    def tick():
        nonlocal count
        count += 1
        return False

    db.set_progress_handler(tick, 1000)
    assert db.execute(query).fetchall() == [(10 * parents,)]
    return plan[1], count


print("SQLite", apsw.sqlite_lib_version())
for form, condition in [
    ("as it is", ""),
    ("as it is", "WHERE word = 'done'"),
    ("NOT INDEXED", "WHERE word = 'done'"),
]:
    plan, few = steps(500, form, condition)
    _, many = steps(1000, form, condition)
    print(f"{form}; {condition or 'all'}: {plan}; twice as many parents: {round(many / few)} times as long")
PY
seen=$("$dir/venv/bin/python" "$dir/probe.py")
expected="SQLite 3.51.3
as it is; all: SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); twice as many parents: 2 times as long
as it is; WHERE word = 'done': SEARCH r USING AUTOMATIC PARTIAL COVERING INDEX (word=?); twice as many parents: 4 times as long
NOT INDEXED; WHERE word = 'done': SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); twice as many parents: 2 times as long"
echo "$seen"
if [[ "$seen" != "$expected" ]]; then
    printf 'this is not what was seen with this version:\n%s\n' "$expected" >&2
    exit 1
fi
