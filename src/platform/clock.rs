//! The two clocks: one for machines, one for people.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use rustix::time::ClockId;

/// Monotonic nanoseconds, the same for all processes since boot; it stands still during suspend.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Wall-clock milliseconds since 1970, to show and to record; nothing waits by it.
#[must_use]
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Converts a monotonic instant to wall-clock milliseconds.
#[must_use]
pub fn wall_of(monotonic: u64) -> u64 {
    wall_ms().saturating_sub(monotonic_ns().saturating_sub(monotonic) / 1_000_000)
}

/// Converts a monotonic instant to wall-clock microseconds.
#[must_use]
pub fn wall_us_of(monotonic: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    now.saturating_sub(monotonic_ns().saturating_sub(monotonic) / 1000)
}

/// Converts wall-clock microseconds to a monotonic instant; 0 for what was before this boot.
#[must_use]
pub fn monotonic_of_us(wall_us: u64) -> u64 {
    let (now, monotonic) = (wall_us_of(monotonic_ns()), monotonic_ns());
    match wall_us.checked_sub(now) {
        Some(ahead) => monotonic.saturating_add(ahead.saturating_mul(1000)),
        None => monotonic.saturating_sub((now - wall_us).saturating_mul(1000)),
    }
}

/// Writes wall-clock microseconds as RFC 3339 in local time, to the millisecond.
#[must_use]
pub fn rfc3339_ms(us: u64) -> String {
    let at = i64::try_from(us).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Writes wall-clock milliseconds as RFC 3339 in local time; `None` for zero, which means "never".
#[must_use]
pub fn rfc3339(ms: u64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(ms).ok().filter(|ms| *ms > 0)?).ok()?;
    let local = at.to_zoned(jiff::tz::TimeZone::system());
    Some(local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// Writes wall-clock microseconds as RFC 3339 in local time, to the microsecond.
#[must_use]
pub fn rfc3339_us(us: u64) -> String {
    let at = i64::try_from(us).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

/// Writes wall-clock milliseconds as the time of day.
#[must_use]
pub fn time_of_day(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}
