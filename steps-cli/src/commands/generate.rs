//! `completions` and `man`: what shells and `man` know of the program, made of its command line.

use std::{fs, io::Write, path::Path};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{args::Cli, error::Error};

/// Writes what a shell needs to complete commands.
pub(crate) fn completions(shell: Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "steps", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

/// Writes the page of the program, or, into a folder, that and one for each command.
pub(crate) fn man(folder: Option<&Path>) -> Result<(), Error> {
    let mut program = Cli::command();
    program.build();
    let Some(folder) = folder else {
        return Ok(std::io::stdout().lock().write_all(&page(program)?)?);
    };
    let of_file = |path: &Path, error| Error::of_file(&path.display().to_string(), &error);
    fs::create_dir_all(folder).map_err(|error| of_file(folder, error))?;
    let mut pages = vec![("steps.1".to_owned(), program.clone())];
    for command in program.get_subcommands() {
        let name = format!("steps-{}", command.get_name());
        pages.push((format!("{name}.1"), command.clone().display_name(name)));
    }
    for (file, command) in pages {
        let path = folder.join(file);
        fs::write(&path, page(command)?).map_err(|error| of_file(&path, error))?;
    }
    Ok(())
}

fn page(command: Command) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    Ok(text)
}
