//! Times of a schedule: cron patterns in a time zone of the system's database.

use std::str::FromStr;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Says why a pattern cannot be used, or returns nothing. One that never comes, such as the 30th of February, cannot.
#[must_use]
pub fn cron_fault(cron: &str) -> Option<String> {
    match Cron::from_str(cron) {
        Err(error) => Some(error.to_string().trim_end_matches('.').to_owned()),
        Ok(parsed) => {
            let start = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
            parsed.find_next_occurrence(&start, false).err().map(|_| "it never comes".to_owned())
        }
    }
}

/// Returns whether the system knows a time zone; the empty name is the system's own.
#[must_use]
pub fn has_zone(zone: &str) -> bool {
    zone_of(zone).is_some()
}

fn zone_of(zone: &str) -> Option<TimeZone> {
    if zone.is_empty() { Some(TimeZone::system()) } else { TimeZone::get(zone).ok() }
}

/// Returns the first time of a schedule after a wall-clock time, both in milliseconds; `None` when it never comes, or
/// pattern or zone cannot be used. A time that a change of the clock skips comes right after it, one that it repeats
/// comes once.
#[must_use]
pub fn next_after(cron: &str, zone: &str, wall_ms: u64) -> Option<u64> {
    let cron = Cron::from_str(cron).ok()?;
    let start = Timestamp::from_millisecond(i64::try_from(wall_ms).ok()?).ok()?.to_zoned(zone_of(zone)?);
    let next = cron.find_next_occurrence(&start, false).ok()?;
    u64::try_from(next.timestamp().as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: &str) -> u64 {
        let at: Timestamp = time.parse().expect("a time");
        u64::try_from(at.as_millisecond()).expect("after 1970")
    }

    #[test]
    fn times_come_in_their_zone_also_where_the_clock_changes() {
        for (cron, zone, after, next) in [
            ("*/5 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"),
            ("0 3 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"),
            ("0 3 * * *", "Europe/Berlin", "2026-07-01T02:00:00Z", "2026-07-02T01:00:00Z"),
            // 02:30 does not exist on this day, and comes twice on the next one.
            ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            ("15 30 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:30:15Z"),
            ("0 0 * * MON", "UTC", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("@daily", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ] {
            assert_eq!(next_after(cron, zone, ms(after)), Some(ms(next)), "{cron} {zone} {after}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_never_comes_or_is_no_zone_is_refused() {
        for bad in ["", "* * *", "61 * * * *", "often", "0 0 30 2 *", "* * * * * * * *"] {
            assert!(cron_fault(bad).is_some(), "{bad:?}");
        }
        assert_eq!(cron_fault("0 0 29 2 *"), None);
        assert!(has_zone("") && has_zone("Europe/Berlin") && !has_zone("Europe/Berlim") && !has_zone("../etc/passwd"));
    }
}
