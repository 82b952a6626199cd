//! Numbers as people read them.

use std::fmt::Display;
use std::time::Duration;

use thousands::Separable;

/// `1 column`, `4 columns`
pub(crate) fn count(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(n as u64))
}

/// `20,200`
#[must_use]
pub fn thousands(n: u64) -> String {
    n.separate_with_commas()
}

/// `0.4 s`, `35 s`, `1 min 35 s`, `2 h 5 min`, `3 d 4 h`: two units at most.
pub(crate) fn duration(time: Duration) -> String {
    if time < Duration::from_millis(9_950) {
        return format!("{:.1} s", time.as_secs_f64());
    }
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// `0.71 %`
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A positive number with `n_digits` significant digits: `0.0485`, `1.23`, and `1.23e-7` or `1.23e9` where zeros would be many.
pub(crate) fn significant(number: f64, n_digits: usize) -> String {
    let scientific = format!("{number:.*e}", n_digits.saturating_sub(1));
    // The exponent after rounding: 0.09999 is 0.100.
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match exponent {
        Some(exponent @ -4..6) => {
            let decimals = (n_digits as i32 - 1 - exponent).max(0);
            format!("{number:.*}", decimals as usize)
        }
        _ => scientific,
    }
}

/// `w14-1, w16-1, w18-1`; of more than eight the first seven and how many more.
pub(crate) fn list(items: impl ExactSizeIterator<Item: Display>) -> String {
    let n_more = if items.len() > 8 { items.len() - 7 } else { 0 };
    let n_shown = items.len() - n_more;
    let mut shown: Vec<String> = items.take(n_shown).map(|item| item.to_string()).collect();
    if n_more > 0 {
        shown.push(format!("and {n_more} more"));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(ms: u64, want: &str) {
        assert_eq!(duration(Duration::from_millis(ms)), want);
    }

    #[test]
    fn durations_have_two_units_at_most() {
        check_duration(0, "0.0 s");
        check_duration(440, "0.4 s");
        check_duration(9_949, "9.9 s");
        check_duration(9_950, "10 s");
        check_duration(59_499, "59 s");
        check_duration(59_500, "1 min 0 s");
        check_duration(95_000, "1 min 35 s");
        check_duration(7_500_000, "2 h 5 min");
        check_duration(274_000_000, "3 d 4 h");
    }

    #[track_caller]
    fn check_significant(number: f64, n_digits: usize, want: &str) {
        assert_eq!(significant(number, n_digits), want, "{number:e}");
    }

    #[test]
    fn numbers_have_their_significant_digits() {
        check_significant(0.048_529, 3, "0.0485");
        check_significant(0.099_99, 3, "0.100");
        check_significant(0.1, 3, "0.100");
        check_significant(2.345_678, 4, "2.346");
        check_significant(0.000_123_4, 3, "0.000123");
        check_significant(0.000_012_34, 3, "1.23e-5");
        check_significant(0.0, 3, "0.00");
        check_significant(123_456.7, 4, "123457");
        check_significant(7_819_936_553.0, 4, "7.820e9");
        check_significant(f64::NAN, 4, "NaN");
    }

    #[test]
    fn one_is_singular_and_long_lists_are_cut() {
        assert_eq!([count(0, "epoch"), count(1, "epoch")], ["0 epochs", "1 epoch"]);
        assert_eq!(list([1, 2, 3].iter()), "1, 2, 3");
        assert_eq!(list(0..8), "0, 1, 2, 3, 4, 5, 6, 7");
        assert_eq!(list(0..35), "0, 1, 2, 3, 4, 5, 6, and 28 more");
    }
}
