//! `cargo xtask editor`: what a user sees in an editor. It asks a rust-analyzer about places in the
//! samples in `xtask/editor`, where the right answers stand, and lets the compiler check all that an
//! editor reads in place of the code of this workspace's flows.
//!
//! The server is the one in `RUST_ANALYZER`, or else one that is built once, which takes minutes. It
//! needs the standard library's source: that in `RUST_SRC_PATH`, or else a copy that is loaded once. By
//! itself it would add it to the toolchain, which changes the compiler's messages in `tests/ui`.

mod question;
mod server;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Result, cargo};
use question::{Ask, Question};
use server::{Document, Server};

/// The version of the server that is built.
const VERSION: &str = "0.0.349";

/// The samples: one without errors, and one in the middle of typing.
const SAMPLES: [&str; 2] = ["whole.rs", "half.rs"];

/// Names of ours that a user may see nowhere.
const OURS: [&str; 5] = ["f", "item", "line", "op", "how"];

pub(crate) fn run(args: &[String]) -> Result {
    let folder = cargo::root().join("target/editor");
    if !args.iter().any(|arg| arg == "--ask") {
        compiles(&folder.join("check"))?;
    }
    let program = match env::var_os("RUST_ANALYZER") {
        Some(program) => PathBuf::from(program),
        None => build(&folder.join("server"))?,
    };
    let project = folder.join("project");
    generate(&project)?;
    let library = match env::var_os("RUST_SRC_PATH") {
        Some(library) => PathBuf::from(library),
        None => library(&folder.join("library"))?,
    };
    let mut server = Server::start(&program, &library, &project)?;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for sample in SAMPLES {
        let file = project.join("src").join(sample);
        let document = server.open(&file)?;
        for question in question::read(&fs::read_to_string(&file)?)? {
            asked += 1;
            let answer = answer(&mut server, &document, &question)?;
            let place = format!("{sample}:{}:{}", question.line + 1, question.column + 1);
            if args.iter().any(|arg| arg == "--all") {
                println!("{place}: {:?}: {}", question.asks, answer.text);
            }
            if let Some(why) = answer.wrong {
                wrong.push(format!("{place}: {why}: {}", answer.text));
            }
        }
        if sample == SAMPLES[0] {
            wrong.extend(found_wrong(&mut server, &document)?);
        }
    }
    if wrong.is_empty() {
        println!("{asked} questions, all answered rightly");
        return Ok(());
    }
    Err(format!("{} of {asked} answers:\n{}", wrong.len(), wrong.join("\n")).into())
}

/// Lets the compiler check what editors read.
fn compiles(target: &Path) -> Result {
    let mut check = cargo::cargo([
        "check",
        "--locked",
        "--package",
        "steps-tests",
        "--all-targets",
    ]);
    check.args(["--package", "steps", "--examples"]);
    let flags = "--cfg rust_analyzer --cap-lints allow";
    cargo::run(
        check
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", target),
    )
}

/// Builds the server, unless it is there, and returns its program.
fn build(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("bin/rust-analyzer");
    if !program.exists() {
        let mut install = cargo::cargo(["install", "--locked", "ra_ap_rust-analyzer"]);
        install.args(["--version", VERSION, "--root"]).arg(folder);
        // This version needs what a newer compiler has without a feature.
        install.env("RUSTC_BOOTSTRAP", "1");
        install.env("RUSTFLAGS", "-Zcrate-attr=feature(assert_matches)");
        cargo::run(&mut install)?;
    }
    Ok(program)
}

/// Loads the source of the standard library, unless it is there, and returns its folder.
fn library(folder: &Path) -> Result<PathBuf> {
    let version = cargo::output(cargo::command("rustc").arg("--version"))?;
    let version = String::from_utf8(version)?;
    let version = version.split_whitespace().nth(1).unwrap_or_default();
    let name = format!("rust-src-{version}");
    let library = folder
        .join(&name)
        .join("rust-src/lib/rustlib/src/rust/library");
    if !library.join("core").exists() {
        fs::create_dir_all(folder)?;
        let packed = folder.join("library.tar.xz");
        let url = format!("https://static.rust-lang.org/dist/{name}.tar.xz");
        let mut load = cargo::command("curl");
        cargo::run(load.args(["-sSfL", &url, "-o"]).arg(&packed))?;
        let mut unpack = cargo::command("tar");
        cargo::run(unpack.arg("-xJf").arg(&packed).arg("-C").arg(folder))?;
    }
    Ok(library)
}

/// Writes the project with the samples.
fn generate(project: &Path) -> Result {
    let root = cargo::root();
    fs::create_dir_all(project.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"editor\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n\
         steps = {{ path = '{}', default-features = false, features = [\"macros\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\n[workspace]\n",
        root.display()
    );
    fs::write(project.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
    let mut modules = String::new();
    for sample in SAMPLES {
        let name = sample.trim_end_matches(".rs");
        modules.extend(["mod ", name, ";\n"]);
        fs::copy(
            root.join("xtask/editor").join(sample),
            project.join("src").join(sample),
        )?;
    }
    fs::write(project.join("src/lib.rs"), modules)?;
    Ok(())
}

/// What the server said, and why that is wrong.
struct Answer {
    text: String,
    wrong: Option<String>,
}

fn answer(server: &mut Server, document: &Document, question: &Question) -> Result<Answer> {
    match &question.asks {
        Ask::Goto(line) => {
            let place = document.at(question.line, question.column - 1);
            let answer = server.ask("textDocument/definition", &place)?;
            Ok(goto(&answer, document, *line))
        }
        Ask::Hover(text) => {
            let place = document.at(question.line, question.column - 1);
            let answer = server.ask("textDocument/hover", &place)?;
            Ok(hover(&answer, text))
        }
        Ask::Offers(names) => {
            let place = document.at(question.line, question.column);
            let answer = server.ask("textDocument/completion", &place)?;
            Ok(offers(&answer, names))
        }
    }
}

fn goto(answer: &Value, document: &Document, line: usize) -> Answer {
    let places: Vec<(bool, u64)> = list(answer)
        .iter()
        .map(|place| {
            let is_here = document.is(&place["targetUri"]) || document.is(&place["uri"]);
            let range = match place.get("targetSelectionRange") {
                Some(range) => range,
                None => &place["range"],
            };
            (is_here, range["start"]["line"].as_u64().unwrap_or_default())
        })
        .collect();
    let right = matches!(&places[..], [(true, there)] if *there == line as u64);
    let text = list(answer).iter().map(|place| {
        let uri = place.get("targetUri").unwrap_or(&place["uri"]);
        format!(
            "{uri} {}",
            place.get("targetSelectionRange").unwrap_or(&place["range"])
        )
    });
    Answer {
        text: text.collect::<Vec<_>>().join(", "),
        wrong: (!right).then(|| format!("the definition is on line {} alone", line + 1)),
    }
}

fn hover(answer: &Value, expected: &str) -> Answer {
    let contents = &answer["contents"];
    let text = contents["value"].as_str().or(contents.as_str());
    let text = text.unwrap_or_default().to_owned();
    let internal = ["__", " as Step>"]
        .into_iter()
        .find(|ours| text.contains(ours));
    let wrong = match internal {
        Some(ours) => Some(format!("`{ours}` is none of the user's")),
        None if !text.contains(expected) => Some(format!("there is no `{expected}`")),
        None => None,
    };
    Answer { text, wrong }
}

fn offers(answer: &Value, expected: &[String]) -> Answer {
    let items = match answer.get("items") {
        Some(items) => items,
        None => answer,
    };
    let names: Vec<&str> = list(items)
        .iter()
        .filter_map(|item| item["label"].as_str())
        .filter(|label| !label.contains('!')) // a macro
        .map(|label| label.split(['(', ' ', ':']).next().unwrap_or(label))
        .collect();
    let missing = expected.iter().find(|name| !names.contains(&name.as_str()));
    let ours = names
        .iter()
        .find(|name| name.contains("__") || OURS.contains(name));
    let wrong = match (missing, ours) {
        (Some(name), _) => Some(format!("`{name}` is not offered")),
        (None, Some(name)) => Some(format!("`{name}` is none of the user's")),
        (None, None) => None,
    };
    Answer {
        text: names.join(" "),
        wrong,
    }
}

/// Asks for the errors that the server itself finds in a file, and returns them.
fn found_wrong(server: &mut Server, document: &Document) -> Result<Vec<String>> {
    let place = document.at(0, 0);
    let file = json!({ "textDocument": place["textDocument"] });
    let answer = server.ask("textDocument/diagnostic", &file)?;
    let found = list(&answer["items"]).iter().map(|found| {
        let line = found["range"]["start"]["line"].as_u64().unwrap_or_default();
        format!("line {}: {}", line + 1, found["message"])
    });
    Ok(found.collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
