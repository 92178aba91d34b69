//! Points in time as people write them: `5m`, `12:30`, `2026-11-21T12:30`, RFC 3339.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::civil;

use crate::session::text;

/// A point in the past, in wall-clock microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(pub u64);

/// Reads a point in time, seen from now.
pub fn parse(written: &str) -> Result<Since, String> {
    parse_at(written, &Zoned::now())
}

fn parse_at(written: &str, now: &Zoned) -> Result<Since, String> {
    let now_us = now.timestamp().as_microsecond();
    let local = |at: civil::DateTime| at.to_zoned(now.time_zone().clone()).map(|at| at.timestamp());
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let is_duration = unsigned.bytes().all(|b| b.is_ascii_alphanumeric())
        && unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.ends_with(|c: char| c.is_ascii_lowercase());
    if is_duration {
        let ago = text::duration_ms(written)?;
        return Ok(Since((now_us as u64).saturating_sub(ago.saturating_mul(1000))));
    }
    let at = if let Ok(at) = written.parse::<Timestamp>() {
        at
    } else if let Ok(at) = written.parse::<civil::DateTime>() {
        local(at).map_err(|_| out_of_range(written))?
    } else if let Ok(time) = written.parse::<civil::Time>() {
        // The latest such time of day: what has not come today was yesterday.
        let today = local(now.date().to_datetime(time)).map_err(|_| out_of_range(written))?;
        let day = if today > now.timestamp() { now.date().yesterday() } else { Ok(now.date()) };
        day.and_then(|day| local(day.to_datetime(time))).map_err(|_| out_of_range(written))?
    } else {
        return Err(
            "write how long ago (5m, 2h), a time of day (12:30) or a date and time (2026-11-21T12:30)".to_owned()
        );
    };
    if at > now.timestamp() {
        return Err(format!("{written} has not come yet; it is {}", now.strftime("%Y-%m-%dT%H:%M:%S%:z")));
    }
    Ok(Since(at.as_microsecond().max(0) as u64))
}

fn out_of_range(written: &str) -> String {
    format!("{written} is no time this system can tell")
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn at(written: &str) -> Result<String, String> {
        let now: Zoned = "2026-11-21T12:30:00+01:00[+01:00]".parse().expect("a time");
        let Since(us) = parse_at(written, &now)?;
        let at = Timestamp::from_microsecond(us as i64).expect("in range");
        Ok(at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string())
    }

    #[test]
    fn points_in_time_are_read_as_people_write_them() {
        let wanted = [
            ("5m", "2026-11-21T11:25:00"),
            ("1500ms", "2026-11-21T11:29:58"),
            ("12:29", "2026-11-21T11:29:00"),
            ("12:29:59", "2026-11-21T11:29:59"),
            ("23:00", "2026-11-20T22:00:00"),
            ("2026-11-20", "2026-11-19T23:00:00"),
            ("2026-11-20 08:00", "2026-11-20T07:00:00"),
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00"),
            ("2026-11-20T08:00:00+05:00", "2026-11-20T03:00:00"),
            ("1969-01-01T00:00:00Z", "1970-01-01T00:00:00"),
        ];
        for (written, time) in wanted {
            assert_eq!(at(written).as_deref(), Ok(time), "{written}");
        }
    }

    #[test]
    fn what_is_no_past_time_is_told_with_what_to_write() {
        for absurd in
            ["", "soon", "-5m", "5x", "25:00", "99999999999999999999m", "2026-13-01", "\u{1b}[31m", "9999999d"]
        {
            assert!(at(absurd).is_err(), "{absurd:?}");
        }
        assert!(at("2026-11-22").is_err_and(|why| why.contains("has not come yet")));
    }
}
