//! How many steps of the executions in a list are in which status, and when the newest of them began or
//! ended: by one query for all of them.

use rusqlite::{Connection, types::ValueRef};
use steps_core::{Status, store::ExecutionInfo};

use crate::{error::Result, row::nanos::time};

/// Of each execution and status: how many steps there are, how many have begun and have no row yet, and
/// the newest time of any node.
const COUNTS: &str = "SELECT k.value, n.status, sum(n.kind = 'step'), \
    sum(n.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes o WHERE o.id = n.id + 1)), \
    max(n.started_at), max(n.done_at) \
    FROM json_each(?1) k CROSS JOIN nodes n \
    ON n.id BETWEEN k.value << 24 AND (k.value << 24) + 16777215 \
    GROUP BY k.value, n.status";

/// Counts the steps of these executions.
pub(crate) fn count(conn: &Connection, infos: &mut [ExecutionInfo]) -> Result<()> {
    if infos.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = infos.iter().map(|info| info.key.to_string()).collect();
    let mut places: Vec<usize> = (0..infos.len()).collect();
    places.sort_unstable_by_key(|place| infos[*place].key);
    let mut statement = conn.prepare_cached(COUNTS)?;
    let mut rows = statement.query([format!("[{}]", keys.join(","))])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let Ok(place) = places.binary_search_by_key(&key, |place| infos[*place].key) else {
            continue;
        };
        let info = &mut infos[places[place]];
        let name = match row.get_ref(1)? {
            ValueRef::Text(name) => str::from_utf8(name).unwrap_or_default(),
            _ => "",
        };
        // What can't be read is left to `check`: it must not keep others from being listed.
        if let Some(status) = Status::from_name(name) {
            info.steps
                .add(status, row.get::<_, i64>(2)?.cast_unsigned());
        }
        let begun: i64 = row.get(3)?;
        info.steps.add(Status::Running, begun.cast_unsigned());
        for column in [4, 5] {
            let newest = row.get::<_, Option<i64>>(column)?.map(time);
            info.updated_at = newest.map_or(info.updated_at, |newest| newest.max(info.updated_at));
        }
    }
    Ok(())
}
