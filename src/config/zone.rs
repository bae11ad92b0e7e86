//! The time zone of the system.

use jiff::tz::TimeZone;

const LOCAL: &str = "/etc/localtime";

/// The zone that times are shown in. `TimeZone::system` first lists all zones of the system's database, which takes
/// longer than all other reading at startup; where `/etc/localtime` is a link into it, that file is enough.
pub fn local_zone() -> TimeZone {
    let is_chosen = std::env::var_os("TZ").is_some();
    (!is_chosen).then(from_link).flatten().unwrap_or_else(TimeZone::system)
}

fn from_link() -> Option<TimeZone> {
    let target = std::fs::read_link(LOCAL).ok()?;
    let (_, name) = target.to_str()?.split_once("zoneinfo/")?;
    TimeZone::tzif(name, &std::fs::read(LOCAL).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn the_zone_is_the_one_that_the_system_names() {
        let (ours, systems) = (local_zone(), TimeZone::system());
        for second in (0..60).map(|month| 1_600_000_000 + month * 30 * 86_400) {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(ours.to_datetime(at), systems.to_datetime(at));
        }
        assert_eq!(ours.iana_name(), systems.iana_name());
    }
}
