//! A Chromium without a window, steered by its DevTools protocol.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

use crate::strokes::Point;

/// What the browser may be called.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    n_calls: u64,
    /// What the page told by itself.
    events: Vec<Value>,
    _profile: TempDir,
}

/// What draws.
#[derive(Debug, Clone, Copy)]
pub(crate) enum With {
    Mouse,
    Pen,
    Finger,
}

impl Browser {
    /// `None`, and a word about it, where no browser is installed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn start() -> Option<Self> {
        let is_there = |name: &&str| {
            let version =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let Some(name) = BROWSERS.into_iter().find(is_there) else {
            eprintln!(
                "skipped: no Chromium is installed (Debian: the package chromium), so nobody draws on the page"
            );
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new(name)
            .args(["--headless", "--disable-gpu", "--no-sandbox", "--no-first-run", "--window-size=1200,900"])
            .args(["--disable-background-networking", "--remote-debugging-port=0", "--hide-scrollbars"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let door = profile.path().join("DevToolsActivePort");
        let (port, path) = until("the browser's port", || {
            let text = fs::read_to_string(&door).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.to_owned()))
        });
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        let mut browser =
            Self { child, socket, session: String::new(), n_calls: 0, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let session = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &session);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Calls a method, and returns its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.n_calls += 1;
        let mut message = json!({ "id": self.n_calls, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let mut message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == self.n_calls {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    pub(crate) fn open(&mut self, address: &str) {
        self.call("Page.navigate", &json!({ "url": address }));
        self.until("the study on the page", "document.querySelector('#columns button') !== null");
    }

    /// The value of a JavaScript expression in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", &asked);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, expression: &str) {
        until(what, || (self.evaluate(expression) == true).then_some(()));
    }

    /// The text of an element.
    #[track_caller]
    pub(crate) fn text(&mut self, id: &str) -> String {
        let text = self.evaluate(&format!("document.getElementById('{id}').textContent"));
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the answer on the page is that of what is drawn, and until its maps and distortions are there, too.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.until(
            "an answer",
            "document.getElementById('time').textContent !== '' && document.getElementById('answer').ariaBusy === 'false'",
        );
        self.until(
            "maps and distortions",
            "document.querySelectorAll('#distorted li').length === 12 && document.querySelectorAll('.stage').length > 0
             && document.getElementById('maps').ariaBusy === 'false' && document.getElementById('distorted').ariaBusy === 'false'",
        );
    }

    /// Draws strokes on an element of the page.
    pub(crate) fn draw(&mut self, id: &str, strokes: &[Vec<Point>], with: With) {
        let find = format!(
            "(() => {{ const of = document.getElementById('{id}'); of.scrollIntoView({{ block: 'center', behavior: 'instant' }});
             const box = of.getBoundingClientRect(); return [box.left, box.top, box.width, box.height]; }})()"
        );
        let place = self.evaluate(&find);
        let side = |index: usize| place[index].as_f64().unwrap();
        let at = |[x, y]: Point| [side(0) + x * side(2), side(1) + y * side(3)];
        for stroke in strokes {
            let points: Vec<Point> = stroke.iter().map(|point| at(*point)).collect();
            match with {
                With::Mouse => self.press(&points, "mouse"),
                With::Pen => self.press(&points, "pen"),
                With::Finger => self.touch(&points),
            }
        }
    }

    fn press(&mut self, points: &[Point], pointer: &str) {
        let mut event = |kind: &str, [x, y]: Point, buttons: u8| {
            let event = json!({
                "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1, "pointerType": pointer,
            });
            self.call("Input.dispatchMouseEvent", &event);
        };
        event("mousePressed", points[0], 1);
        points[1..].iter().for_each(|point| event("mouseMoved", *point, 1));
        event("mouseReleased", points[points.len() - 1], 0);
    }

    fn touch(&mut self, points: &[Point]) {
        let mut event = |kind: &str, at: &[Point]| {
            let at: Vec<Value> = at.iter().map(|[x, y]| json!({ "x": x, "y": y })).collect();
            self.call("Input.dispatchTouchEvent", &json!({ "type": kind, "touchPoints": at }));
        };
        event("touchStart", &points[..1]);
        points[1..].iter().for_each(|point| event("touchMove", &[*point]));
        event("touchEnd", &[]);
    }

    /// Presses a key some times: `ArrowDown`, ` `.
    pub(crate) fn press_key(&mut self, key: &str, code: u32, times: usize) {
        for _ in 0..times {
            for kind in ["rawKeyDown", "keyUp"] {
                let event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
                self.call("Input.dispatchKeyEvent", &event);
            }
        }
    }

    /// What the console and the security policy complained of, and which addresses were asked.
    pub(crate) fn complaints_and_requests(&mut self) -> (Vec<String>, Vec<String>) {
        let (mut complaints, mut requests) = (Vec::new(), Vec::new());
        self.evaluate("0"); // whatever came before is read then
        for event in &self.events {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" | "Log.entryAdded" => complaints.push(params.to_string()),
                "Runtime.consoleAPICalled" => complaints.push(params["args"].to_string()),
                "Network.requestWillBeSent" => {
                    requests.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        (complaints, requests)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something.
#[track_caller]
fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(there) = there() {
            return there;
        }
        assert!(start.elapsed() < LIMIT, "{what}: not there after {LIMIT:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
