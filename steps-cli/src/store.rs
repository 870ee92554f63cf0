//! Opening the store: one that is there, and of this version.

use steps::{
    Engine, Open as _,
    sqlite::SqliteOptions,
    store::{StoreError, Tables},
};

use crate::{
    args::Global,
    codec::with_codec,
    error::{Code, Error},
};

/// Opens the store that the command line or the environment names; one that is missing is only made where that was
/// asked for.
pub(crate) async fn open(global: &Global, may_create: bool) -> Result<Engine, Error> {
    let Some(url) = &global.db else {
        return Err(Error::usage(
            "which store? --db sqlite:FILE, or the environment variable STEPS_DB, says so",
        ));
    };
    let checked = match url.split_once(':').map_or("", |(scheme, _)| scheme) {
        "sqlite" => check_file(url, global.upgrade),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => check_database(url, global.upgrade).await,
        "memory" => Ok(()),
        // The error of `open` lists what there is.
        _ => {
            return match Engine::open(url).await {
                Ok(builder) => Ok(with_codec(builder, global)?.start().await?),
                Err(error) => Err(Error::usage(error.to_string())),
            };
        }
    };
    match checked {
        Err(error) if may_create && error.code == Code::NotFound => {}
        checked => checked?,
    }
    let builder = Engine::open(url).await?;
    Ok(with_codec(builder, global)?.start().await?)
}

/// Checks that there is a store in the file: opening would make one, and bring an older one up to date.
fn check_file(url: &str, upgrade: bool) -> Result<(), Error> {
    let options = SqliteOptions::from_url(url).map_err(|error| Error::usage(error.to_string()))?;
    let path = options.path().display().to_string();
    if let Err(error) = std::fs::metadata(options.path()) {
        return Err(Error::of_file(&path, &error));
    }
    let empty = "the file is empty: there is no store in it";
    let open = "that has the file open";
    check(&path, options.tables(), [empty, open], upgrade)
}

/// The same of a database.
#[cfg(feature = "postgres")]
async fn check_database(url: &str, upgrade: bool) -> Result<(), Error> {
    use steps::postgres::PostgresOptions;

    let options =
        PostgresOptions::from_url(url).map_err(|error| Error::usage(error.to_string()))?;
    let name = options.name();
    let empty = "there is no store in it: `?schema=NAME` says in which schema, if not in `steps`";
    let open = "that is connected";
    check(&name, options.tables().await, [empty, open], upgrade)
}

fn check(
    name: &str,
    tables: Result<Tables, StoreError>,
    [empty, open]: [&str; 2],
    upgrade: bool,
) -> Result<(), Error> {
    match tables {
        Ok(Tables { version: 0, .. }) => {
            Err(Error::new(Code::NotFound, format!("{name}: {empty}")))
        }
        Ok(Tables {
            version, newest, ..
        }) if version < newest && !upgrade => Err(Error::new(
            Code::Refused,
            format!(
                "{name}: its tables have version {version}, and those of this program {newest}. \
                 --upgrade brings them up to date; a service of an older version {open} \
                 takes up nothing more then, until it is updated and started again"
            ),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(Code::Failed, error.to_string())),
    }
}
