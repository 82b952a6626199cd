//! The page in a browser: drawn on, dropped on, narrow, dark, and by keyboard.

use image::ImageFormat;
use serde_json::json;

use crate::browser::{Browser, With};
use crate::run::Place;
use crate::server::{Server, photograph};
use crate::strokes;

/// The console is silent, and nobody else is asked for anything.
#[track_caller]
fn check_quiet(browser: &mut Browser, server: &Server) {
    let (complaints, requests) = browser.complaints_and_requests();
    assert_eq!(complaints, [""; 0]);
    assert!(requests.len() > 5, "{requests:?}");
    for request in requests {
        assert!(request.starts_with(&server.address) || request == "data:,", "{request}");
    }
}

#[test]
fn ten_digits_are_drawn_and_recognized() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Server::start();
    browser.open(&server.address);
    assert_eq!(browser.text("sentence"), "Nothing is drawn yet.");
    let mut said = Vec::new();
    for digit in 0..10 {
        let with = [With::Mouse, With::Pen, With::Finger][usize::from(digit) % 3];
        browser.draw("canvas", &strokes::of(digit), with);
        browser.settle();
        said.push((digit.to_string(), browser.text("digit"), browser.text("sentence")));
        browser.evaluate("document.getElementById('clear').click()");
        assert_eq!(
            (browser.text("digit"), browser.text("sentence").as_str()),
            ("–".to_owned(), "Nothing is drawn yet.")
        );
    }
    let n_right = said.iter().filter(|(digit, said, _)| digit == said).count();
    assert!(n_right >= 9, "{said:#?}");
    println!("{n_right} of 10 drawn digits are right");

    // Undo brings back what was cleared, and then takes stroke by stroke: a nine has one.
    browser.evaluate("document.getElementById('undo').click()");
    browser.settle();
    assert_eq!(browser.text("digit"), said[9].1);
    check_quiet(&mut browser, &server);
}

#[test]
fn a_photograph_is_dropped() {
    let Some(mut browser) = Browser::start() else { return };
    let place = Place::new();
    place.write("seven.jpg", photograph(7, 24, ImageFormat::Jpeg));
    place.write("notes.png", "no image");
    let server = Server::start();
    browser.open(&server.address);
    let drop_file = |browser: &mut Browser, name: &str| {
        let files = [place.path(name).display().to_string()];
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            browser
                .call("Input.dispatchDragEvent", &json!({ "type": kind, "x": 200, "y": 250, "data": data }));
        }
    };
    drop_file(&mut browser, "seven.jpg");
    browser.settle();
    assert_eq!(browser.text("digit"), "7");
    let sentence = browser.text("sentence");
    assert!(
        sentence.starts_with("seven.jpg: A clear 7, with ")
            && sentence.ends_with(" 35 of 35 columns say it."),
        "{sentence}"
    );

    // What the page shows is what the columns say: seven widths, 35 cells, ten probabilities.
    let shown = browser.evaluate(
        "[document.querySelectorAll('#widths li').length, document.querySelectorAll('#columns tr').length,
          document.querySelectorAll('#columns button').length, document.querySelectorAll('#probabilities li.best').length,
          [...document.querySelectorAll('#columns button')].filter(cell => cell.textContent === '7').length >= 30,
          document.querySelectorAll('.stage').length, document.querySelectorAll('#distorted li').length]",
    );
    assert_eq!(shown, json!([7, 7, 35, 1, true, 5, 12]));

    // Distortions follow the sliders.
    let before = browser.evaluate("document.querySelector('#distorted canvas').toDataURL()");
    browser.evaluate("(() => { const of = document.getElementById('strength'); of.value = 1; of.dispatchEvent(new Event('input')); })()");
    browser.until(
        "other distortions",
        &format!("document.querySelector('#distorted canvas')?.toDataURL() !== {before}"),
    );
    check_quiet(&mut browser, &server);

    // A file that is no image: the program's sentence, and nothing else is shown.
    drop_file(&mut browser, "notes.png");
    browser.until(
        "the sentence",
        "document.getElementById('sentence').textContent === 'notes.png: not an image (PNG, JPEG, BMP, GIF, WebP, TIFF) and not an IDX file'",
    );
    assert_eq!(browser.text("digit"), "–");
}

#[test]
fn phones_and_dark_rooms() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Server::start();
    let narrow = json!({ "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", &narrow);
    browser.open(&server.address);
    browser.draw("canvas", &strokes::of(3), With::Finger);
    browser.settle();
    let mut colours = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", &features);
        let widths = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        assert_eq!(widths, json!([360, 360]), "{scheme}: nothing is wider than the page");
        // Nothing sticks out, whatever clips it: of 35 columns all are seen.
        let out = browser.evaluate(
            "[...document.querySelectorAll('main *')].filter(of => !of.closest('.hidden, #pen')
               && of.getBoundingClientRect().right > 348).map(of => of.outerHTML.slice(0, 80))",
        );
        assert_eq!(out, json!([]), "{scheme}");
        // Fingers need room.
        let low = browser.evaluate(
            "[...document.querySelectorAll('button')].filter(of => of.getBoundingClientRect().height < 36).length",
        );
        assert_eq!(low, 0);
        colours.push(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
    }
    assert_eq!(colours, ["rgb(246, 248, 250)", "rgb(13, 17, 23)"]);
    check_quiet(&mut browser, &server);
}

#[test]
fn everything_works_by_keyboard() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Server::start();
    browser.open(&server.address);
    const TAB: (&str, u32) = ("Tab", 9);
    const SPACE: (&str, u32) = (" ", 32);
    const DOWN: (&str, u32) = ("ArrowDown", 40);
    let focused = "document.activeElement.id || document.activeElement.dataset.column || ''";
    browser.press_key(TAB.0, TAB.1, 1);
    assert_eq!(browser.evaluate(focused), "canvas");
    assert_eq!(browser.evaluate("document.getElementById('pen').hidden"), false);
    // From the upper middle straight down.
    browser.press_key(SPACE.0, SPACE.1, 1);
    assert_eq!(browser.text("pen-state"), "The pen is down.");
    browser.press_key(DOWN.0, DOWN.1, 18);
    browser.press_key(SPACE.0, SPACE.1, 1);
    assert_eq!(browser.text("pen-state"), "The pen is up.");
    browser.press_key(DOWN.0, DOWN.1, 3); // draws nothing
    browser.settle();
    assert_eq!(browser.text("digit"), "1");

    // One stop for the grid, and arrow keys in it; each cell says what it is.
    let mut stops = Vec::new();
    for _ in 0..8 {
        browser.press_key(TAB.0, TAB.1, 1);
        stops.push(browser.evaluate(focused).as_str().unwrap().to_owned());
        if stops.last().unwrap() == "original-1" {
            break;
        }
    }
    assert_eq!(stops, ["undo", "clear", "choose", "original-1"]);
    browser.press_key(DOWN.0, DOWN.1, 2);
    browser.press_key("ArrowRight", 39, 1);
    assert_eq!(browser.evaluate(focused), "w12-2");
    browser.until("its maps", "document.getElementById('maps-title').textContent === 'Maps of column w12-2'");
    let label = browser.evaluate("document.activeElement.getAttribute('aria-label')");
    assert!(label.as_str().unwrap().starts_with("Column w12-2: 1 with "), "{label}");
    let more: Vec<_> = (0..3)
        .map(|_| {
            browser.press_key(TAB.0, TAB.1, 1);
            browser.evaluate(focused).as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(more, ["sigma", "strength", "redraw"]);

    browser.evaluate("document.getElementById('canvas').focus()");
    browser.press_key("Delete", 46, 1);
    assert_eq!(browser.text("sentence"), "Nothing is drawn yet.");
    // Everything that is used has a name.
    let nameless = browser.evaluate(
        "[...document.querySelectorAll('button, input:not([hidden]), canvas[tabindex]')].filter(of =>
           !(of.getAttribute('aria-label') || of.textContent.trim() || of.labels?.length)).map(of => of.outerHTML)",
    );
    assert_eq!(nameless, json!([]));
    check_quiet(&mut browser, &server);
}
