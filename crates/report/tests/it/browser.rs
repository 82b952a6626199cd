//! The page as a browser shows it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::evidence::{complete, html};

/// What the browser may be called.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Runs first in the page, and keeps whatever the console would tell.
const LISTENER: &str = "<script>
window.told = [];
for (const event of ['error', 'unhandledrejection', 'securitypolicyviolation'])
  addEventListener(event, e => told.push(event + ': ' + (e.message || e.reason || e.violatedDirective)));
for (const kind of ['error', 'warn']) console[kind] = (...words) => told.push(kind + ': ' + words.join(' '));
</script>";

/// Runs last in the page, and tells the page around it what can be seen.
const PROBE: &str = "<script>
addEventListener('load', () => {
  const root = document.documentElement;
  const figures = [...document.querySelectorAll('figure')].map(figure => {
    const svg = figure.querySelector('svg'), box = svg.getBoundingClientRect();
    const cut = [...svg.querySelectorAll('text')].filter(text => {
      const own = text.getBoundingClientRect();
      return own.left < box.left - 2 || own.right > box.right + 2 || own.top < box.top - 2 || own.bottom > box.bottom + 2;
    });
    return {
      name: figure.id,
      width: box.width,
      height: box.height,
      shown: [...svg.children].filter(child => !['title', 'desc'].includes(child.tagName) && child.getBoundingClientRect().width > 0).length,
      cut: cut.map(text => text.textContent.trim()),
    };
  });
  document.querySelectorAll('thead button').forEach(button => button.click());
  parent.postMessage(JSON.stringify({
    told, figures, wide: document.querySelectorAll('figure.whole').length,
    hints: [...document.querySelectorAll('.scrolls')].filter(hint => hint.offsetHeight > 0).length,
    page_width: root.scrollWidth, window_width: root.clientWidth,
    sorted: document.querySelectorAll('th[aria-sort=ascending]').length,
    tables: document.querySelectorAll('table').length,
  }), '*');
});
</script>";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    told: Vec<String>,
    figures: Vec<SeenFigure>,
    /// Figures that scroll on a phone, and hints at that which are shown.
    wide: usize,
    hints: usize,
    page_width: f64,
    window_width: f64,
    sorted: usize,
    tables: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenFigure {
    name: String,
    width: f64,
    height: f64,
    shown: usize,
    cut: Vec<String>,
}

#[test]
fn a_browser_shows_every_figure_on_phones_and_desks() {
    let is_there = |name: &&str| {
        let version =
            Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let Some(browser) = BROWSERS.into_iter().find(is_there) else {
        eprintln!(
            "skipped: no Chromium is installed (Debian: the package chromium), so nobody looks at the page"
        );
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let page = html(&complete());
    let page = page.replacen("<head>", &format!("<head>{LISTENER}"), 1);
    let page = page.replacen("</body>", &format!("{PROBE}</body>"), 1);
    fs::write(place.path().join("page.html"), page).unwrap();
    for width_px in [390, 1440] {
        let seen = look(browser, place.path(), width_px);
        assert_eq!(seen.told, [""; 0], "{width_px} px: the console is silent");
        assert!((seen.window_width - f64::from(width_px)).abs() < 1.0, "{seen:?}");
        assert!(seen.page_width <= seen.window_width, "{width_px} px: {seen:?}");
        assert_eq!(seen.figures.len(), 15);
        for SeenFigure { name, width, height, shown, cut } in &seen.figures {
            assert!(
                *width > 250.0 && *height > 100.0 && *shown > 0,
                "{width_px} px: {name}: {width} × {height}, {shown}"
            );
            assert_eq!(cut, &[""; 0], "{width_px} px: {name}: words beyond the edge");
        }
        assert_eq!(
            seen.hints,
            if width_px < 700 { seen.wide } else { 0 },
            "{width_px} px: hints at scrolling"
        );
        assert_eq!(seen.sorted, seen.tables, "{width_px} px: each table is sorted by the title clicked last");
    }
}

/// Loads the page in a frame of this width: the browser's own window cannot be as narrow as a phone.
fn look(browser: &str, place: &Path, width_px: u32) -> Seen {
    let frame = format!(
        "<!doctype html><iframe src=\"page.html\" style=\"width:{width_px}px;height:900px;border:0\"></iframe><pre></pre>
<script>addEventListener('message', e => document.querySelector('pre').textContent = e.data)</script>"
    );
    let path = place.join("frame.html");
    fs::write(&path, frame).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--disable-gpu", "--no-sandbox", "--hide-scrollbars", "--window-size=1600,1000"])
        .args([
            "--disable-background-networking",
            "--no-first-run",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", place.join("profile").display()))
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let told =
        dom.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>")).map_or("", |(told, _)| told);
    let told = told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&told).unwrap_or_else(|error| {
        panic!("{error}: the page told {told:?}\n{}", String::from_utf8_lossy(&output.stderr))
    })
}
