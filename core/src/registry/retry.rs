//! When to try again: twice as long each time, not all at once, as the server asks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Result;
use crate::progress::Stop;

/// The first wait.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait that grows by itself.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest wait that a server may ask for.
const ASKED: Duration = Duration::from_secs(120);

/// How often a sleeper looks up.
const SLICE: Duration = Duration::from_millis(100);

/// Whether the same request may be answered otherwise a little later. What begins with 52 comes
/// from those in between that do not reach the registry.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 520..=529)
}

/// How long to wait after the `failures`th failure in a row. `seed` sets clients apart that failed
/// together.
pub(super) fn wait(failures: u32, asked: Option<Duration>, seed: &str) -> Duration {
    if let Some(asked) = asked {
        return asked.min(ASKED);
    }
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let whole = doubled.min(LONGEST);
    // FNV-1a: different for each process, address and failure; nothing secret hangs on it.
    let start = 0xcbf2_9ce4_8422_2325 ^ u64::from(std::process::id()) ^ u64::from(failures);
    let hash = seed.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Between a half and the whole.
    let part = u32::try_from((hash >> 32) % 1000).unwrap_or(0);
    whole / 2 + whole / 2 * part / 1000
}

/// Sleeps, unless the run is stopped.
pub(super) fn sleep(time: Duration, stop: &Stop) -> Result<()> {
    let mut left = time;
    loop {
        stop.check()?;
        if left.is_zero() {
            return Ok(());
        }
        let now = left.min(SLICE);
        std::thread::sleep(now);
        left -= now;
    }
}

/// What `Retry-After` asks for (RFC 9110 §10.2.3): seconds, or a date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(
        date(value)?.saturating_sub(now.as_secs()),
    ))
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of dates that is written.
fn date(text: &str) -> Option<u64> {
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut parts = rest.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|known| *known == month)? as u64 + 1;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut time = parts
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    // Days since 1970 of a date; years begin in March, so that leap days come last.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let since = days.checked_sub(719_468)?;
    Some(since * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_end_and_differ() {
        let waits: Vec<Duration> = (1..12).map(|n| wait(n, None, "a")).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST);
        assert!(waits[1] >= FIRST && waits[1] <= FIRST * 2);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        let others: Vec<Duration> = (1..12).map(|n| wait(n, None, "b")).collect();
        assert_ne!(waits, others);
    }

    #[test]
    fn a_server_may_ask_for_a_while_but_not_for_an_hour() {
        let asked = |text: &str| wait(1, retry_after(text), "a");
        assert_eq!(asked("3"), Duration::from_secs(3));
        assert_eq!(asked("3600"), ASKED);
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT"), ASKED);
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Duration::ZERO);
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn dates_are_counted_right() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Thu, 01 Jan 0000 00:00:00 GMT", None),
            ("06 Nov 1994", None),
        ] {
            assert_eq!(date(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_sleeper_is_woken_by_a_stop() {
        let stop = Stop::new();
        stop.request();
        assert!(sleep(LONGEST, &stop).is_err());
    }
}
