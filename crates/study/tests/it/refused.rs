//! Every value and key that a config may not have, each with its whole message.

use proptest::prelude::*;
use study::{Study, StudyError};

use crate::good::{ADAM_W, EXPONENTIAL, GOOD, SGD, stopping_early, with};

#[track_caller]
fn check(text: &str, want: &str) {
    let error = Study::from_json(text).expect_err(text);
    assert_eq!(error.to_string(), want);
}

/// Replaces a piece of the good config and expects this message.
#[track_caller]
fn check_with(piece: &str, replacement: &str, want: &str) {
    check(&with(piece, replacement), want);
}

#[test]
fn unknown_keys_are_named_with_the_known_ones_nearest_first() {
    check_with(
        "\"epochs\"",
        "\"epoch\"",
        "line 13, column 3: unknown key \"epoch\" (known: epochs, batch, name, notes, data, seed, network, widths, views, \
         $schema, schema, precision, optimizer, skip_below, distortion, activation, validation, early_stopping, \
         learning_rate, initialization, columns_per_width)",
    );
    check_with(
        "\"nesterov\"",
        "\"Nesterov\"",
        "line 17, column 50: unknown key \"optimizer.Nesterov\" (known: nesterov, beta1, beta2, epsilon, \
         rule, momentum, weight_decay)",
    );
    check_with(
        "\"shear\"",
        "\"sheer\"",
        "line 26, column 5: unknown key \"distortion.sheer\" (known: shear, sigma, alpha, anneal, scaling, smoothing, \
         rotation_deg, translation_px)",
    );
    check_with(
        "\"warm_up\"",
        "\"warmup\"",
        "line 16, column 61: unknown key \"learning_rate.warmup\" (known: warm_up, factor, floor, peak, schedule, \
         initial)",
    );
    check_with(
        "\"warm_up\": 0.1",
        "\"warm_up\": 0.1, \"floor\": 0",
        "line 16, column 77: unknown key \"learning_rate.floor\" (known: peak, warm_up)",
    );
    check_with(
        "\"schedule\": \"one-cycle\", ",
        "\"schedule\": \"exponential\", \"initial\": 1, \"factor\": 1, \"floor\": 0, ",
        "line 16, column 88: unknown key \"learning_rate.peak\" (known: floor, initial, factor)",
    );
    check_with(
        "\"warm_up\": 0.1",
        "\"warm_up\": 0.1, \"a`, b\": 0",
        "line 16, column 77: unknown key \"learning_rate.a`, b\" (known: factor, floor, peak, warm_up, initial, \
         schedule)",
    );
    // Keys that look like paths are keys.
    let error =
        Study::from_json(&with("\"epochs\": 8", "\"learning_rate.peak\": 8")).unwrap_err().to_string();
    let want = "line 13, column 3: unknown key \"learning_rate.peak\" (known: learning_rate, ";
    assert!(error.starts_with(want), "{error}");
}

#[test]
fn views_out_of_range_are_refused() {
    let with_views =
        |views: &str| with("  \"distortion\"", &format!("  \"views\": {views},\n  \"distortion\""));
    let refused = |views: &str, want: &str| {
        let error = Study::from_json(&with_views(views)).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    refused("null", "views is null, expected an object");
    refused(r#"{ "count": 0, "strength": 0.4 }"#, "views.count is 0, expected a number from 1 to 1024");
    refused(
        r#"{ "count": 70000, "strength": 0.4 }"#,
        "views.count is 70000, expected a number from 1 to 1024",
    );
    refused(r#"{ "count": 8, "strength": 1.1 }"#, "views.strength is 1.1, expected a number from 0 to 1");
    refused(r#"{ "count": 8 }"#, "missing key \"views.strength\"");
    refused(r#"{ "count": 8, "strength": 0.4, "seed": 1 }"#, "unknown key \"views.seed\"");
    let text = with_views(r#"{ "count": 8, "strength": 0.4 }"#);
    let start = text.find("\"distortion\"").unwrap();
    let error =
        Study::from_json(&format!("{}\"distortion\": null }}", &text[..start])).unwrap_err().to_string();
    assert!(error.contains("expected to be left out: views are distorted"), "{error}");
}

#[test]
fn missing_and_repeated_keys_are_named() {
    for (line, key) in [
        ("  \"schema\": 1,\n", "schema"),
        ("  \"name\": \"good\",\n", "name"),
        ("  \"data\": \"mnist\",\n", "data"),
        ("  \"seed\": 2012,\n", "seed"),
        ("  \"network\": \"1x29x29-20C4-MP2-40C5-MP3-150N-10N\",\n", "network"),
        ("  \"activation\": \"relu\",\n", "activation"),
        ("  \"initialization\": \"fan-in\",\n", "initialization"),
        ("  \"widths\": [\"original\", 14, 20],\n", "widths"),
        ("  \"columns_per_width\": 2,\n", "columns_per_width"),
        ("  \"epochs\": 8,\n", "epochs"),
        ("  \"batch\": 128,\n", "batch"),
        ("  \"validation\": 10000,\n", "validation"),
        ("  \"precision\": \"fp32\",\n", "precision"),
    ] {
        check_with(line, "", &format!("line 1, column 1: missing key \"{key}\""));
    }
    let distortion = GOOD.find(",\n  \"distortion\"").unwrap();
    check(&format!("{}}}", &GOOD[..distortion]), "line 1, column 1: missing key \"distortion\"");
    let missing =
        |key: &str, column: u32, line: u32| format!("line {line}, column {column}: missing key \"{key}\"");
    check_with(", \"nesterov\": true", "", &missing("optimizer.nesterov", 16, 17));
    check_with(",\n    \"anneal\": 0.3", "", &missing("distortion.anneal", 17, 19));
    check_with("    \"smoothing\": \"gaussian\",\n", "", &missing("distortion.smoothing", 17, 19));
    check_with("\"schedule\": \"one-cycle\", ", "", &missing("learning_rate.schedule", 20, 16));
    check_with(", \"warm_up\": 0.1", "", &missing("learning_rate.warm_up", 20, 16));
    check_with(
        "\"one-cycle\"",
        "\"exponential\"",
        "line 16, column 49: unknown key \"learning_rate.peak\" (known: floor, initial, factor)",
    );
    check_with(
        "\"schedule\": \"one-cycle\", \"peak\": 0.05, \"warm_up\": 0.1",
        "\"schedule\": \"exponential\", \"initial\": 0.05, \"factor\": 0.1",
        &missing("learning_rate.floor", 20, 16),
    );
    check_with("\"rule\": \"sgd\", ", "", &missing("optimizer.rule", 16, 17));

    check_with(
        "\"epochs\": 8,",
        "\"epochs\": 8,\n  \"epochs\": 9,",
        "line 14, column 3: key \"epochs\" is there twice",
    );
    check_with(
        "\"momentum\": 0.9",
        "\"momentum\": 0.9, \"momentum\": 0.9",
        "line 17, column 50: key \"optimizer.momentum\" is there twice",
    );
}

/// A key of the top level, its wrong values, and what is expected instead.
#[track_caller]
fn check_values(key: &str, good: &str, wrong: &[&str], want: &str) {
    let before = format!("\"{key}\": ");
    let line = 1 + GOOD[..GOOD.find(&before).unwrap()].matches('\n').count();
    let column = 3 + before.len();
    for value in wrong {
        let text = with(&format!("{before}{good}"), &format!("{before}{value}"));
        check(&text, &format!("line {line}, column {column}: {key} is {value}, expected {want}"));
    }
}

#[test]
fn whole_numbers_out_of_range_are_refused() {
    check_values("schema", "1", &["0", "2", "-1"], "1, the config format of this version");
    check_values(
        "seed",
        "2012",
        &["-1", "-9223372036854775808"],
        "a whole number from 0 to 18446744073709551615",
    );
    check_values("columns_per_width", "2", &["0", "-1", "1000", "65538"], "a whole number from 1 to 999");
    check_values("epochs", "8", &["0", "-8", "100001", "4294967304"], "a whole number from 1 to 100000");
    check_values(
        "batch",
        "128",
        &["0", "-1", "50001", "4294967297"],
        "a whole number from 1 to 50000, the training digits that are not held out",
    );
    check_values(
        "validation",
        "10000",
        &["-1", "60000", "60001"],
        "a whole number from 0 to 59999: \"mnist\" has 60000 training digits",
    );
    let sample = with("\"mnist\"", "\"sample\"").replace("\"batch\": 128", "\"batch\": 1");
    check(
        &sample.replace("10000", "400"),
        "line 15, column 17: validation is 400, expected a whole number from 0 to 399: \"sample\" has 400 training digits",
    );
    assert!(Study::from_json(&sample.replace("10000", "399")).is_ok());
}

#[test]
fn other_types_are_refused() {
    let not_whole =
        ["8.0", "0.5", "1e3", "\"8\"", "null", "true", "[8]", "{}", "18446744073709551616", "1e999"];
    for (key, good) in [
        ("schema", "1"),
        ("seed", "2012"),
        ("epochs", "8"),
        ("batch", "128"),
        ("validation", "10000"),
        ("columns_per_width", "2"),
    ] {
        // One too large for any number is refused as a number already.
        let want =
            if key == "seed" { "a whole number from 0 to 18446744073709551615" } else { "a whole number" };
        check_values(key, good, &not_whole[..9], want);
        check_values(key, good, &not_whole[9..], "a number up to 1.7976931348623157e308");
    }
    check_values("name", "\"good\"", &["7", "null"], "a string");
    check_values("notes", "[\"a remark\"]", &["\"a remark\"", "null", "{}"], "a list");
    check_values("widths", "[\"original\", 14, 20]", &["14", "null", "{ \"0\": 14 }"], "a list");
    check_values(
        "data",
        "\"mnist\"",
        &["\"MNIST\"", "\"\"", "1", "null", "{ \"mnist\": null }"],
        "one of \"mnist\", \"fashion-mnist\", \"sample\"",
    );
    check_values("activation", "\"relu\"", &["\"tanh\"", "null"], "\"scaled-tanh\" or \"relu\"");
    check_values("precision", "\"fp32\"", &["\"fp16\"", "32"], "one of \"fp32\", \"tf32\", \"bf16\"");
    check_values("initialization", "\"fan-in\"", &["\"he\"", "0"], "\"paper\" or \"fan-in\"");
    check_with(
        "\"$schema\": \"./study.schema.json\"",
        "\"$schema\": null",
        "line 2, column 14: $schema is null, expected a string",
    );
    check_with("[\"a remark\"]", "[\"a remark\", 7]", "line 5, column 25: notes[1] is 7, expected a string");
    check_with(SGD, "0.9", "line 17, column 16: optimizer is 0.9, expected an object");
    check_with(SGD, "[0.9, true]", "line 17, column 16: optimizer is [0.9, true], expected an object");
    check_with(
        SGD,
        "[\"sgd\", 0.9, true]",
        "line 17, column 16: optimizer is [\"sgd\", 0.9, true], expected an object",
    );
    check_with("true", "1", "line 17, column 62: optimizer.nesterov is 1, expected true or false");
    check_with(
        "\"one-cycle\"",
        "\"cosine\"",
        "line 16, column 34: learning_rate.schedule is \"cosine\", expected \"exponential\" or \"one-cycle\"",
    );
    check_with(
        "\"gaussian\"",
        "\"box\"",
        "line 22, column 18: distortion.smoothing is \"box\", expected \"gaussian\" or \"theano\"",
    );
    check(
        &with(GOOD.get(GOOD.find("{\n    \"sigma\"").unwrap()..GOOD.len() - 3).unwrap(), "7"),
        "line 19, column 17: distortion is 7, expected an object or null",
    );
    check("[]", "line 1, column 1: the whole text is [], expected an object");
    check("7", "line 1, column 1: the whole text is 7, expected an object");
    check(
        &with("\"sigma\": 8", "\"sigma\": \"8\""),
        "line 20, column 14: distortion.sigma is \"8\", expected a number",
    );
}

#[test]
fn a_long_value_is_cut() {
    check_with(
        "2012",
        "[1,\n 22222222, 33333333, 44444444, 55555555, 66666666]",
        "line 7, column 11: seed is [1, 22222222, 33333333, 44444444, 555555…, expected a whole number \
         from 0 to 18446744073709551615",
    );
}

#[test]
fn names_that_are_no_plain_folder_are_refused() {
    let long = format!("\"{}\"", "a".repeat(65));
    let rule = "1 to 64 letters, digits, dots, underscores and hyphens, not beginning with a dot or hyphen, \
                nor ending with a dot";
    check_values(
        "name",
        "\"good\"",
        &[
            "\"\"",
            "\".\"",
            "\"..\"",
            "\".git\"",
            "\"-rf\"",
            "\"a.\"",
            "\"a b\"",
            "\"a/b\"",
            "\"/a\"",
            "\"a\\\\b\"",
            "\"c:\"",
            "\"é\"",
            "\"a\\n\"",
        ],
        rule,
    );
    let error = Study::from_json(&with("\"good\"", &long)).unwrap_err().to_string();
    assert!(error.ends_with(rule), "{error}");
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    let network = "\"1x29x29-20C4-MP2-40C5-MP3-150N-10N\"";
    check_values(
        "network",
        network,
        &["\"1x28x28-20C5-MP2-10N\""],
        "a network with the input 1x29x29, not 1x28x28",
    );
    let no_engines = ["\"1x29x29-10N\"", "\"1x29x29-MP2-4C4-10N\"", "\"1x29x29-4C4-MP2-MP2-10N\""];
    let form = "convolutions, each followed by at most one max-pooling, then dense layers";
    check_values("network", network, &no_engines, form);
    check_values("network", network, &["\"3x29x29-10N\""], "a network with the input 1x29x29, not 3x29x29");
    check_values("network", network, &["\"1x29x29-20C4-MP2-26N\""], "a network that ends with 10N, not 26N");
    for (piece, wrong) in [("40C5", "40X5"), ("20C4", "20C0"), ("-150N-10N", ""), ("20C4", "20C40")] {
        let notation = "1x29x29-20C4-MP2-40C5-MP3-150N-10N".replace(piece, wrong);
        let problem = notation.parse::<ciresan_net::Network>().unwrap_err();
        check_with(piece, wrong, &format!("line 8, column 14: {problem}"));
    }
}

#[test]
fn widths_that_are_none_or_there_twice_are_refused() {
    let range = "expected 4 to 28 pixels, or \"original\"";
    for wrong in ["99", "3", "29", "0", "-14", "14.5", "1e3", "300", "\"14\"", "\"Original\"", "null", "[14]"]
    {
        check_with("14", wrong, &format!("line 11, column 26: widths[1] is {wrong}, {range}"));
    }
    check_with("14, 20", "14, 20, 14", "line 11, column 34: widths[3] is 14, expected every width once");
    check_with(
        "14, 20",
        "\"original\"",
        "line 11, column 26: widths[1] is \"original\", expected every width once",
    );
    check_with("\"original\", 14, 20", "", "line 11, column 13: widths is [], expected at least one width");
}

#[test]
fn learning_rates_out_of_range_are_refused() {
    let cycle = |piece: &str, wrong: &str, key: &str, column: u32, want: &str| {
        let value = wrong.rsplit(' ').next().unwrap();
        check_with(
            piece,
            wrong,
            &format!("line 16, column {column}: learning_rate.{key} is {value}, expected {want}"),
        );
    };
    for wrong in ["0", "-0.05", "100.5", "-0.0", "1e300"] {
        cycle("\"peak\": 0.05", &format!("\"peak\": {wrong}"), "peak", 55, "a number above 0, at most 100");
    }
    for wrong in ["-0.1", "1.1"] {
        cycle("\"warm_up\": 0.1", &format!("\"warm_up\": {wrong}"), "warm_up", 72, "a number from 0 to 1");
    }
    for wrong in ["null", "\"0.1\"", "true"] {
        cycle("\"warm_up\": 0.1", &format!("\"warm_up\": {wrong}"), "warm_up", 72, "a number");
    }

    let exponential = |piece: &str, wrong: &str, message: &str| {
        let values = EXPONENTIAL.replace(piece, wrong);
        let text = with("\"schedule\": \"one-cycle\", \"peak\": 0.05, \"warm_up\": 0.1", &values);
        let error = Study::from_json(&text).unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
    };
    exponential("0.1", "0", ": learning_rate.initial is 0, expected a number above 0, at most 100");
    exponential("0.1", "101", ": learning_rate.initial is 101, expected a number above 0, at most 100");
    exponential("0.993", "0", ": learning_rate.factor is 0, expected a number above 0, at most 1");
    exponential("0.993", "1.001", ": learning_rate.factor is 1.001, expected a number above 0, at most 1");
    exponential("0.993", "-0.5", ": learning_rate.factor is -0.5, expected a number above 0, at most 1");
    exponential(
        "0.003",
        "0.2",
        ": learning_rate.floor is 0.2, expected a number from 0 to 0.1, the initial rate",
    );
    exponential(
        "0.003",
        "-0.1",
        ": learning_rate.floor is -0.1, expected a number from 0 to 0.1, the initial rate",
    );
}

#[test]
fn optimizers_out_of_range_are_refused() {
    for wrong in ["1", "-0.1", "1.5", "0.99999999999", "1e300"] {
        check_with(
            "\"momentum\": 0.9",
            &format!("\"momentum\": {wrong}"),
            &format!(
                "line 17, column 45: optimizer.momentum is {wrong}, expected a number from 0 to below 1"
            ),
        );
    }
    check_with(
        "\"momentum\": 0.9",
        "\"momentum\": 0",
        "line 17, column 60: optimizer.nesterov is true, expected false, because momentum is 0",
    );
    let adam_w = |piece: &str, replacement: &str, want: &str| {
        check(&with(SGD, &ADAM_W.replace(piece, replacement)), &format!("line 17, column {want}"));
    };
    let below_1 = "expected a number from 0 to below 1";
    adam_w("0.9,", "1,", &format!("44: optimizer.beta1 is 1, {below_1}"));
    adam_w("0.999", "-0.5", &format!("58: optimizer.beta2 is -0.5, {below_1}"));
    adam_w("1e-8", "0", "76: optimizer.epsilon is 0, expected a number above 0 and at most 1");
    adam_w("1e-8", "1e-60", "76: optimizer.epsilon is 1e-60, expected a number above 0 and at most 1");
    adam_w("0.01", "1.5", "98: optimizer.weight_decay is 1.5, expected a number from 0 to 1");
    adam_w(", \"epsilon\": 1e-8", "", "16: missing key \"optimizer.epsilon\"");
    adam_w("\"adamw\"", "\"adam\"", "26: optimizer.rule is \"adam\", expected \"sgd\" or \"adamw\"");
    adam_w(
        "\"beta1\"",
        "\"nesterov\": true, \"beta1\"",
        "35: unknown key \"optimizer.nesterov\" (known: beta1, beta2, epsilon, weight_decay)",
    );
    check_with(
        "\"nesterov\": true",
        "\"nesterov\": true, \"beta1\": 0",
        "line 17, column 68: unknown key \"optimizer.beta1\" (known: momentum, nesterov)",
    );
}

#[test]
fn skipping_out_of_range_is_refused() {
    let precision = "\"precision\": \"fp32\",";
    for (wrong, want) in [
        ("-0.1", "a number from 0 to 0.5"),
        ("0.51", "a number from 0 to 0.5"),
        ("1e300", "a number from 0 to 0.5"),
        ("-1e-60", "a number from 0 to 0.5"),
        ("null", "a number"),
        ("\"0.1\"", "a number"),
    ] {
        check_with(
            precision,
            &format!("{precision} \"skip_below\": {wrong},"),
            &format!("line 18, column 38: skip_below is {wrong}, expected {want}"),
        );
    }
}

#[test]
fn early_stopping_out_of_range_or_without_held_out_digits_is_refused() {
    for (rule, want) in [
        (
            "{ \"patience\": 0, \"increase\": 2, \"threshold\": 1 }",
            "patience is 0, expected a whole number from 1 to 100000",
        ),
        (
            "{ \"patience\": 9, \"increase\": 0.9, \"threshold\": 1 }",
            "increase is 0.9, expected a number from 1 to 100",
        ),
        (
            "{ \"patience\": 9, \"increase\": 2, \"threshold\": 0 }",
            "threshold is 0, expected a number above 0, at most 1",
        ),
        (
            "{ \"patience\": 9, \"increase\": 2, \"threshold\": 1.1 }",
            "threshold is 1.1, expected a number above 0, at most 1",
        ),
    ] {
        let error = Study::from_json(&stopping_early(rule)).unwrap_err().to_string();
        assert!(error.ends_with(&format!("early_stopping.{want}")), "{error}");
    }
    let rule = "{ \"patience\": 9, \"increase\": 2, \"threshold\": 1 }";
    let none_held_out = stopping_early(rule).replace("\"validation\": 10000", "\"validation\": 0");
    let error = Study::from_json(&none_held_out).unwrap_err().to_string();
    assert!(error.contains("no digits are held out (validation is 0)"), "{error}");
}

#[test]
fn distortions_out_of_range_are_refused() {
    let cases: [(&str, &str, &[&str], &str); 7] = [
        ("sigma", "8", &["0", "-8", "0.001", "10001", "1e39", "1e300"], "a number from 0.01 to 10000"),
        ("alpha", "36", &["-1", "1000001"], "a number from 0 to 1000000"),
        ("translation_px", "0", &["-1", "1001"], "a number from 0 to 1000"),
        ("rotation_deg", "0", &["-1", "181"], "a number from 0 to 180"),
        ("scaling", "0", &["-0.1", "0.91"], "a number from 0 to 0.9"),
        ("shear", "0", &["-0.1", "11"], "a number from 0 to 10"),
        ("anneal", "0.3", &["-0.1", "1.1"], "a number from 0 to 1"),
    ];
    for (key, good, wrong, want) in cases {
        let before = format!("\"{key}\": ");
        let line = 1 + GOOD[..GOOD.find(&before).unwrap()].matches('\n').count();
        let column = 5 + before.len();
        for value in wrong {
            let text = with(&format!("{before}{good}"), &format!("{before}{value}"));
            check(
                &text,
                &format!("line {line}, column {column}: distortion.{key} is {value}, expected {want}"),
            );
        }
    }
}

#[test]
fn what_is_no_json_is_refused_at_its_place() {
    check("", "line 1, column 1: not JSON: EOF while parsing a value");
    check(&with("0.05", "NaN"), "line 16, column 55: not JSON: expected value");
    check(&with("0.05", "Infinity"), "line 16, column 55: not JSON: expected value");
    check(&format!("{GOOD}{{}}"), "line 30, column 1: not JSON: trailing characters");
    check(&with("\"batch\": 128,", "\"batch\": 128"), "line 15, column 3: not JSON: expected `,` or `}`");
    // Cut anywhere, it is an error with a place, never a panic.
    for end in (0..GOOD.trim_end().len()).filter(|&end| GOOD.is_char_boundary(end)) {
        assert!(Study::from_json(&GOOD[..end]).is_err());
    }
    // Nested far deeper than any stack.
    assert!(Study::from_json(&"[".repeat(1_000_000)).is_err());
    assert!(
        Study::from_json(&with("2012", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))).is_err()
    );
}

proptest! {
    /// A damaged text is another study or an error with a place in it, never a panic.
    #[test]
    fn any_other_character_anywhere_is_survived(at in 0..GOOD.len(), replacement in any::<char>()) {
        let text = format!("{}{replacement}{}", &GOOD[..at], &GOOD[at + 1..]);
        if let Err(error) = Study::from_json(&text) {
            prop_assert!((1..=text.lines().count() + 1).contains(&error.line), "{error}");
        }
    }
}

#[test]
fn a_file_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, with("\"epochs\": 8", "\"epochs\": 0")).unwrap();
    let error = Study::read(&path).unwrap_err();
    let want = format!("{}:13:13: epochs is 0, expected a whole number from 1 to 100000", path.display());
    assert_eq!(error.to_string(), want);
    assert!(error.is_wrong_usage());
    // A chain of errors says it once.
    assert!(std::error::Error::source(&error).is_none());

    let missing = folder.path().join("missing.json");
    let error = Study::read(&missing).unwrap_err();
    let want =
        format!("{}: cannot read the config: No such file or directory (os error 2)", missing.display());
    assert_eq!(error.to_string(), want);
    assert!(error.is_wrong_usage());

    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(Study::read(&path), Err(StudyError::Io { .. })));
    std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
    let error = Study::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("cannot read the config: longer than 1048576 bytes"), "{error}");
}
