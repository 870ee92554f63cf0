//! A browser, driven by `chromedriver` (the `WebDriver` of the W3C, over HTTP). Both are installed where they are missing
//! and that is possible.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// How long the browser may take for what it is asked for.
const WAIT: Duration = Duration::from_secs(20);

/// What W3C calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, with an empty profile. It ends when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// An element of a page.
pub(crate) struct Element(String);

impl Browser {
    pub(crate) fn start() -> Self {
        let (browser, driver) = programs();
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let port = port(&mut driver);
        let profile = tempfile::tempdir().unwrap();
        let mut browser_args: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            // As on a telephone, they take no room.
            "--hide-scrollbars",
        ]
        .map(str::to_owned)
        .into();
        browser_args.push(format!("--user-data-dir={}", profile.path().display()));
        let mut this = Self {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let options = json!({"binary": browser, "args": browser_args});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = this.ask("POST", "/session", &wanted);
        session["sessionId"]
            .as_str()
            .expect("a session")
            .clone_into(&mut this.session);
        this
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        match self.try_ask(method, path, body) {
            Ok(value) => value,
            Err(why) => panic!("{method} {path}: {why}"),
        }
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).map_err(|it| it.to_string())?;
        let wait = stream.set_read_timeout(Some(Duration::from_mins(1)));
        wait.map_err(|error| error.to_string())?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let written = stream.write_all(request.as_bytes());
        written.map_err(|error| error.to_string())?;
        let mut answer = String::new();
        let mut reader = BufReader::new(stream);
        // It may keep the connection open in spite of what was asked for.
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let read = reader.take(length).read_to_string(&mut answer);
        read.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let value = answer["value"].clone();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"])),
            None => Ok(value),
        }
    }

    fn of_session(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
    }

    pub(crate) fn open(&self, url: &str) {
        self.of_session("POST", "/url", &json!({"url": url}));
    }

    pub(crate) fn url(&self) -> String {
        self.of_session("GET", "/url", &Value::Null)
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn try_find(&self, css: &str) -> Result<Element, String> {
        let path = format!("/session/{}/element", self.session);
        let found = self.try_ask(
            "POST",
            &path,
            &json!({"using": "css selector", "value": css}),
        )?;
        Ok(Element(
            found[ELEMENT].as_str().unwrap_or_default().to_owned(),
        ))
    }

    /// The element, once it is there.
    pub(crate) fn find(&self, css: &str) -> Element {
        let end = Instant::now() + WAIT;
        loop {
            match self.try_find(css) {
                Ok(found) => return found,
                Err(why) if Instant::now() > end => panic!("{css}: {why}\n{}", self.text("body")),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    pub(crate) fn has(&self, css: &str) -> bool {
        self.try_find(css).is_ok()
    }

    pub(crate) fn click(&self, css: &str) {
        self.with(css, "click", &json!({}));
    }

    pub(crate) fn write(&self, css: &str, text: &str) {
        self.with(css, "value", &json!({"text": text}));
    }

    /// Does something with an element; if the page puts another in its place just then, with that.
    fn with(&self, css: &str, does: &str, body: &Value) {
        let end = Instant::now() + WAIT;
        loop {
            let Element(id) = self.find(css);
            let path = format!("/session/{}/element/{id}/{does}", self.session);
            match self.try_ask("POST", &path, body) {
                Ok(_) => return,
                Err(why) if why.starts_with("stale") && Instant::now() < end => {}
                Err(why) => panic!("{does} {css}: {why}"),
            }
        }
    }

    /// Presses keys where the focus is.
    pub(crate) fn press(&self, keys: &[char]) {
        let all = keys.iter().flat_map(|key| {
            let key = key.to_string();
            [
                json!({"type": "keyDown", "value": key}),
                json!({"type": "keyUp", "value": key}),
            ]
        });
        let all: Vec<Value> = all.collect();
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": all}]});
        self.of_session("POST", "/actions", &actions);
    }

    /// The text of an element as it is seen.
    pub(crate) fn text(&self, css: &str) -> String {
        let script =
            "const it = document.querySelector(arguments[0]); return it ? it.innerText : ''";
        let text = self.run(script, &json!([css]));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until this text is seen there.
    pub(crate) fn wait_for(&self, css: &str, text: &str) {
        let end = Instant::now() + WAIT;
        while !self.text(css).contains(text) {
            assert!(
                Instant::now() < end,
                "{text:?} is not in {css}: {}",
                self.text("body")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn run(&self, script: &str, args: &Value) -> Value {
        let body = json!({"script": script, "args": args});
        self.of_session("POST", "/execute/sync", &body)
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&self, command: &str, params: &Value) -> Value {
        let body = json!({"cmd": command, "params": params});
        self.of_session("POST", "/goog/cdp/execute", &body)
    }

    /// What the browser has complained of since it was asked last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.of_session("POST", "/se/log", &json!({"type": "browser"}));
        let all = log.as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Writes a picture of the whole page.
    pub(crate) fn picture(&self, to: &Path, width: u32, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let wide = self.run(
            "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)",
            &json!([]),
        );
        assert!(
            wide.as_u64().unwrap() <= u64::from(width),
            "{}: as wide as {wide}",
            to.display()
        );
        let picture = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", &picture);
        let data = picture["data"].as_str().expect("a picture");
        fs::write(to, decoded(data)).expect("the picture is written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!("/session/{}", self.session);
            drop(self.try_ask("DELETE", &path, &Value::Null));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// The port that chromedriver has taken, as it tells.
fn port(driver: &mut Child) -> u16 {
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let port = line.split("started successfully on port ").nth(1);
        if let Some(port) = port {
            return port.trim_end_matches('.').parse().expect(&line);
        }
    }
    panic!("chromedriver has ended before it took a port");
}

/// The browser and its driver, which are installed where they are missing.
fn programs() -> (PathBuf, PathBuf) {
    let both = || Some((find("chromium")?, find("chromedriver")?));
    both().unwrap_or_else(|| {
        let apt = |args: &[&str]| {
            let mut apt = Command::new("apt-get");
            apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
            drop(apt.stdout(Stdio::null()).status());
        };
        let install = [&["install", "--yes", "--quiet", "--no-install-recommends"][..], &PACKAGES].concat();
        apt(&install);
        if both().is_none() {
            // Its list of packages may be an old one.
            apt(&["update", "--quiet"]);
            apt(&install);
        }
        both().unwrap_or_else(|| {
            panic!(
                "this test needs Chromium and chromedriver: install them with the system's packages \
                 (`apt-get install {}`)",
                PACKAGES.join(" ")
            )
        })
    })
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| Some(folder.join(program)).filter(|it| it.is_file()))
}

/// Base 64.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    out
}
