//! What the machine is: its cores, what else it is doing, and what a sync of its disk costs, without
//! which no figure of a durable engine says anything.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::Result;

const SYNCS: usize = 201;

/// One line about the machine; `folder` is on the disk that is measured.
pub(crate) fn described(folder: &Path) -> Result<String> {
    let cores = thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let path = folder.join("sync");
    let growing = sync_time(&mut File::create(&path)?)?;
    // The blocks are there now, so that a sync has no new size to write.
    let within = sync_time(&mut OpenOptions::new().write(true).open(&path)?)?;
    fs::remove_file(path)?;
    Ok(format!(
        "{cores} cores, load {load} before the run; to write 4 KiB and sync them takes {} µs at a \
         file's end, {} µs within it (medians)",
        growing.as_micros(),
        within.as_micros()
    ))
}

/// The median of many.
fn sync_time(file: &mut File) -> Result<Duration> {
    let block = [7; 4096];
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[SYNCS / 2])
}
