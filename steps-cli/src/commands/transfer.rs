//! `export` and `import`: executions as JSON lines, with all that is kept of them.
//!
//! The first line says what the file is and its version, the last how many executions it has: a file that
//! was cut off is not imported.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steps::{
    engine::{EngineError, Filter},
    store::{Column, codec::is_encoded},
};

use crate::{
    args::{Export, Import},
    confirm::confirm,
    context::Context,
    error::{Code, Error},
    line::Line,
    out::new_file,
    text::executions,
};

/// The version of the form of the lines.
const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    steps_export: u32,
    exported: Timestamp,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    executions: u64,
}

pub(crate) async fn export(context: &Context<'_>, args: Export) -> Result<(), Error> {
    let filter = Filter::parse(&args.found.filter.join(","))?;
    match &args.output {
        None => export_to(context, filter, io::stdout().lock())
            .await
            .map(drop),
        Some(path) => {
            let file = BufWriter::new(new_file(path)?);
            let count = export_to(context, filter, file).await?;
            context.out.note(format!("{} in {path}", executions(count)));
            Ok(())
        }
    }
}

async fn export_to(
    context: &Context<'_>,
    mut filter: Filter,
    mut to: impl Write,
) -> Result<u64, Error> {
    let head = Head {
        steps_export: VERSION,
        exported: Timestamp::now(),
    };
    write(&mut to, &head)?;
    let most = filter.most().map_or(u64::MAX, |most| most as u64);
    let mut count = 0;
    // The oldest first, so that what is made meanwhile comes at the end, and a parent before its children.
    if !filter.is_sorted() {
        filter = filter.ascending(Column::Created);
    }
    while count < most {
        let page = usize::try_from(most - count).unwrap_or(usize::MAX).min(100);
        let page = context.engine.list(filter.clone().limit(page)).await?;
        let Some(last) = page.last() else { break };
        filter = filter.after(last);
        for info in page {
            let exported = match context.engine.get(info.id).await {
                Ok(handle) => handle.export().await,
                Err(error) => Err(error),
            };
            match exported {
                Ok(exported) => {
                    let id = exported.info.id.clone();
                    let line = serde_json::to_string(&Line::from(exported))?;
                    if has_encoded(&line) {
                        return Err(Error::new(
                            Code::Refused,
                            format!(
                                "execution `{id}` has values that are encoded, and would be lost elsewhere: \
                                 --key-file says with which keys they are read, --compressed that they are \
                                 only compressed"
                            ),
                        ));
                    }
                    to.write_all(line.as_bytes())?;
                    to.write_all(b"\n")?;
                }
                // It was deleted meanwhile.
                Err(EngineError::Unknown { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            count += 1;
        }
    }
    write(&mut to, &End { executions: count })?;
    to.flush()?;
    Ok(count)
}

/// Whether a line has values in it that were not decoded. In a quoted text, the mark is preceded by a `\`.
fn has_encoded(line: &str) -> bool {
    line.match_indices("\"steps:1:")
        .any(|(at, _)| !line[..at].ends_with('\\') && is_encoded(&line[at..]))
}

fn write(to: &mut impl Write, line: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(&mut *to, line)?;
    Ok(to.write_all(b"\n")?)
}

pub(crate) async fn import(context: &Context<'_>, args: Import) -> Result<(), Error> {
    let path = &args.file;
    // What is piped in can be read once only.
    let piped = if path == "-" {
        let mut all = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut all);
        read.map_err(|error| Error::of_file("standard input", &error))?;
        Some(all)
    } else {
        None
    };
    let open = || -> Result<Box<dyn BufRead + '_>, Error> {
        Ok(match &piped {
            Some(all) => Box::new(Cursor::new(all)),
            None => {
                let file = File::open(path).map_err(|error| Error::of_file(path, &error))?;
                Box::new(BufReader::new(file))
            }
        })
    };
    // All of it is looked at before anything is made.
    let (mut count, mut there) = (0_u64, 0_u64);
    for line in Lines::of(path, open()?)? {
        let exported = line?;
        let id = &exported.info.id;
        match context.engine.get(id.as_str()).await {
            Err(EngineError::Unknown { .. }) => count += 1,
            Ok(_) if args.skip_existing => there += 1,
            Ok(_) => {
                return Err(Error::new(
                    Code::Refused,
                    format!(
                        "there is an execution `{id}` already: nothing was imported. \
                         --skip-existing imports the others"
                    ),
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let question = format!(
        "Import {} into {}? A service that serves their flows goes on with those that have not ended.",
        executions(count),
        context.store
    );
    if count > 0 {
        confirm(&question, args.yes)?;
    }
    let mut made = 0_u64;
    for line in Lines::of(path, open()?)? {
        let exported = line?;
        let id = exported.info.id.clone();
        match context.engine.import(exported).await {
            Ok(true) => made += 1,
            Ok(false) if args.skip_existing => {}
            Ok(false) => {
                let text = format!("execution `{id}` was made by somebody else meanwhile; ");
                return Err(Error::new(Code::Refused, text + &stopped(made)));
            }
            Err(error) => {
                let error = Error::from(error);
                return Err(Error::new(
                    error.code,
                    format!("{error}; {}", stopped(made)),
                ));
            }
        }
    }
    if context.out.json {
        let value = serde_json::json!({"imported": made, "skipped": there});
        return context.out.value(&value);
    }
    context.out.line(format!(
        "{} imported, {there} there already",
        executions(made)
    ))
}

/// What is there after an import that came to no end.
fn stopped(made: u64) -> String {
    format!(
        "{} before it in the file were imported, each whole: go on with --skip-existing",
        executions(made)
    )
}

/// The executions of a file.
struct Lines<'a> {
    path: &'a str,
    source: io::Lines<Box<dyn BufRead + 'a>>,
    number: u64,
    read: u64,
    ended: bool,
}

impl<'a> Lines<'a> {
    fn of(path: &'a str, from: Box<dyn BufRead + 'a>) -> Result<Self, Error> {
        let mut lines = Self {
            path,
            source: from.lines(),
            number: 0,
            read: 0,
            ended: false,
        };
        let first = lines.line()?.unwrap_or_default();
        match serde_json::from_str::<Head>(&first) {
            Ok(head) if head.steps_export == VERSION => Ok(lines),
            Ok(head) => Err(lines.wrong(&format!(
                "it has version {} of the form, and this program reads version {VERSION}",
                head.steps_export
            ))),
            Err(_) => Err(lines.wrong("this is no file of `steps export`")),
        }
    }

    fn line(&mut self) -> Result<Option<String>, Error> {
        self.number += 1;
        let line = self.source.next().transpose();
        line.map_err(|error| Error::of_file(self.path, &error))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::usage(format!(
            "{}, line {}: {why}; nothing was imported",
            self.path, self.number
        ))
    }

    fn read(&mut self) -> Result<Option<steps::engine::Exported>, Error> {
        if self.ended {
            return Ok(None);
        }
        let Some(line) = self.line()? else {
            return Err(self.wrong("the file is cut off, as its last line is missing"));
        };
        if let Ok(End { executions }) = serde_json::from_str(&line) {
            if executions != self.read {
                let read = self.read;
                return Err(self.wrong(&format!("it had {executions} executions, and has {read}")));
            }
            self.ended = true;
            return Ok(None);
        }
        self.read += 1;
        let line: Line =
            serde_json::from_str(&line).map_err(|error| self.wrong(&error.to_string()))?;
        line.into_exported()
            .map(Some)
            .map_err(|error| self.wrong(&error))
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<steps::engine::Exported, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
