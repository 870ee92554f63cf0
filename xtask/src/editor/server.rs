//! A rust-analyzer, asked over its standard input and output in the language server protocol.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::Result;

/// The longest that the server may be silent: it builds the project's macros first.
const SILENCE: Duration = Duration::from_mins(10);

/// A running server, which ends with this value.
pub(super) struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    settings: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the server for a project, and waits until it has read it. `library` is the source of the
    /// standard library.
    pub(super) fn start(program: &Path, library: &Path, project: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .current_dir(project)
            .env("RUST_SRC_PATH", library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the server has no input or no output".into());
        };
        let (send, messages) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let settings = json!({
            "checkOnSave": false,
            "cachePriming": { "enable": false },
            "cargo": { "targetDir": project.join("target"), "buildScripts": { "enable": true } },
            "procMacro": { "enable": true, "attributes": { "enable": true } },
            "completion": { "autoimport": { "enable": false } },
        });
        let mut server = Self {
            child,
            input,
            messages,
            last: 0,
            settings: settings.clone(),
        };
        server.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": uri(project),
                "initializationOptions": settings,
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "workspace": { "configuration": true },
                },
            }),
        )?;
        server.tell("initialized", &json!({}))?;
        server.until_quiet()?;
        Ok(server)
    }

    /// Opens a file.
    pub(super) fn open(&mut self, file: &Path) -> Result<Document> {
        let text = fs::read_to_string(file)?;
        let uri = uri(file);
        let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }))?;
        Ok(Document { uri })
    }

    /// Sends a request, and returns its result.
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> Result<Value> {
        let begin = Instant::now();
        loop {
            self.last += 1;
            let id = self.last;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
            let answer = loop {
                let message = self.next()?;
                if message["id"] == id && message.get("method").is_none() {
                    break message;
                }
            };
            match answer.get("error") {
                None => return Ok(answer["result"].clone()),
                // The server has learned something in between: it asks to be asked again.
                Some(error) if error["code"] == -32801 && begin.elapsed() < SILENCE => {
                    thread::sleep(Duration::from_millis(200));
                }
                Some(error) => return Err(format!("{method}: {error}").into()),
            }
        }
    }

    fn until_quiet(&mut self) -> Result {
        loop {
            let message = self.next()?;
            if message["method"] == "experimental/serverStatus" {
                let status = &message["params"];
                if status["health"] == "error" {
                    return Err(format!("rust-analyzer: {}", status["message"]).into());
                }
                if status["quiescent"] == true {
                    return Ok(());
                }
            }
        }
    }

    /// Returns the next message, and answers it if it is a request of the server's.
    fn next(&mut self) -> Result<Value> {
        let message = match self.messages.recv_timeout(SILENCE) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return Err("rust-analyzer does not answer".into()),
            Err(RecvTimeoutError::Disconnected) => return Err("rust-analyzer has ended".into()),
        };
        if let (Some(id), Some(method)) = (message.get("id"), message.get("method")) {
            let result = if method == "workspace/configuration" {
                let items = message["params"]["items"].as_array().map_or(1, Vec::len);
                json!(vec![self.settings.clone(); items])
            } else {
                Value::Null
            };
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))?;
        }
        Ok(message)
    }

    fn tell(&mut self, method: &str, params: &Value) -> Result {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    fn send(&mut self, message: &Value) -> Result {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        self.input.flush()?;
        Ok(())
    }
}

/// An open file.
pub(super) struct Document {
    uri: String,
}

impl Document {
    /// Returns the parameters of a request about a place. Lines and columns count from 0.
    pub(super) fn at(&self, line: usize, column: usize) -> Value {
        json!({
            "textDocument": { "uri": self.uri },
            "position": { "line": line, "character": column },
        })
    }

    /// Whether an answer is about this file.
    pub(super) fn is(&self, uri: &Value) -> bool {
        *uri == self.uri.as_str()
    }
}

fn uri(path: &Path) -> String {
    let path: PathBuf = path.components().collect();
    format!("file://{}", path.display())
}

/// Reads one message; `None` at the end.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
