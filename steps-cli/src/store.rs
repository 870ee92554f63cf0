//! Opening the store: one that is there, and of this version.

use steps::{
    Engine, Open as _,
    sqlite::{SqliteOptions, Tables},
};

use crate::{
    args::Global,
    codec::with_codec,
    error::{Code, Error},
};

/// Opens the store that the command line or the environment names.
pub(crate) async fn open(global: &Global) -> Result<Engine, Error> {
    let Some(url) = &global.db else {
        return Err(Error::usage(
            "which store? --db sqlite:FILE, or the environment variable STEPS_DB, says so",
        ));
    };
    if url.starts_with("sqlite:") {
        check_file(url, global.upgrade)?;
    } else if !url.starts_with("memory:") {
        // The error of `open` lists what there is.
        return match Engine::open(url).await {
            Ok(builder) => Ok(with_codec(builder, global)?.start().await?),
            Err(error) => Err(Error::usage(error.to_string())),
        };
    }
    let builder = Engine::open(url).await?;
    Ok(with_codec(builder, global)?.start().await?)
}

/// Checks that there is a store in the file: opening would make one, and bring an older one up to date.
fn check_file(url: &str, upgrade: bool) -> Result<(), Error> {
    let options = SqliteOptions::from_url(url).map_err(|error| Error::usage(error.to_string()))?;
    let path = options.path().display();
    if let Err(error) = std::fs::metadata(options.path()) {
        return Err(Error::of_file(&path.to_string(), &error));
    }
    match options.tables() {
        Ok(Tables { version: 0, .. }) => Err(Error::new(
            Code::NotFound,
            format!("{path}: the file is empty: there is no store in it"),
        )),
        Ok(Tables {
            version, newest, ..
        }) if version < newest && !upgrade => Err(Error::new(
            Code::Refused,
            format!(
                "{path}: its tables have version {version}, and those of this program {newest}. \
                 --upgrade brings it up to date; a service of an older version that has the file open \
                 takes up nothing more then, until it is updated and started again"
            ),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(Code::Failed, error.to_string())),
    }
}
