//! Accepted host names and origins, the origin of links, and the delay after failed sign-ins.

use super::api_error::ApiError;
use axum::http::{HeaderMap, HeaderName, header};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Scheme, host and port of a URL, such as `https://chat.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: HostName,
}

impl Origin {
    /// Parses an origin, with or without a slash at the end.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = HostName::parse(rest.strip_suffix('/').unwrap_or(rest))?;
        Some(Self { secure, host })
    }

    pub fn text(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.host.text())
    }
}

/// The value of a `Host` header, with the name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    name: String,
    port: Option<u16>,
}

impl HostName {
    /// Parses `NAME`, `NAME:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (format!("[{address}]"), port)
        } else {
            let (name, port) = match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            };
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            if name.is_empty() || name.len() > 253 || !name.chars().all(allowed) {
                return None;
            }
            (name.to_ascii_lowercase(), port)
        };
        let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let port = match port {
            Some(port) if digits(port) => Some(port.parse().ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Self { name, port })
    }

    fn text(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the name always refers to this machine.
    fn is_loopback(&self) -> bool {
        if self.name == "localhost" {
            return true;
        }
        let inner = self.name.trim_start_matches('[').trim_end_matches(']');
        inner.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || inner.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

/// How clients reach the gateway.
pub struct Access {
    /// Accepted host names besides loopback names, in lower case.
    hosts: Vec<String>,
    /// The origin of links, if it does not depend on the caller.
    public: Option<Origin>,
    /// Whether a reverse proxy reports how the caller reached it.
    behind_proxy: bool,
    refusals: Refusals,
}

impl Access {
    pub fn new(hosts: &[String], public: Option<Origin>, behind_proxy: bool) -> Self {
        let mut hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(public.as_ref().map(|origin| origin.host.name.clone()));
        Self { hosts, public, behind_proxy, refusals: Refusals::default() }
    }

    /// Returns the origin that the caller used.
    ///
    /// # Errors
    /// If the host is not accepted (DNS rebinding makes a browser send a foreign name to this address), or the request
    /// comes from a web page of another origin.
    pub fn check(&self, headers: &HeaderMap) -> Result<Origin, ApiError> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).and_then(HostName::parse);
        let (Some(host), None) = (host, hosts.next()) else { return Err(ApiError::wrong_host()) };
        if !host.is_loopback() && !self.hosts.contains(&host.name) {
            return Err(ApiError::wrong_host());
        }
        let secure = self.behind_proxy
            && forwarded(headers, &FORWARDED_PROTO, |list| list.split(',').next())
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let caller = Origin { secure, host };
        if let Some(page) = headers.get(header::ORIGIN) {
            let page = page.to_str().ok().and_then(Origin::parse);
            if page.is_none() || (page.as_ref() != Some(&caller) && page != self.public) {
                return Err(ApiError::foreign_origin());
            }
        }
        Ok(caller)
    }

    /// The origin of links for this caller.
    pub fn links(&self, caller: &Origin) -> String {
        self.public.as_ref().unwrap_or(caller).text()
    }

    /// The address of the client, as reported by the proxy if there is one.
    pub fn address(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> IpAddr {
        let forwarded_for =
            || forwarded(headers, &FORWARDED_FOR, |list| list.rsplit(',').next())?.parse().ok();
        let reported = if self.behind_proxy { forwarded_for() } else { None };
        reported.or(peer.map(|peer| peer.ip())).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Records a refusal and returns the delay before its answer.
    pub fn refused(&self, from: IpAddr, why: &'static str) -> Duration {
        self.refusals.add(from, why, Instant::now())
    }
}

fn forwarded<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    pick: impl Fn(&'a str) -> Option<&'a str>,
) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(pick).map(str::trim)
}

/// Refusals of the last minute by address. The delay doubles with every refusal. Requests with a valid credential are
/// never delayed.
#[derive(Default)]
struct Refusals(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl Refusals {
    const FORGOTTEN: Duration = Duration::from_secs(60);
    const FIRST_WAIT: Duration = Duration::from_millis(100);
    const LONGEST_WAIT: Duration = Duration::from_secs(5);
    /// Number of addresses that are remembered.
    const MAX: usize = 4_096;

    fn add(&self, from: IpAddr, why: &'static str, now: Instant) -> Duration {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MAX && !known.contains_key(&from) {
            known.retain(|_, (_, last)| now.duration_since(*last) < Self::FORGOTTEN);
            if known.len() >= Self::MAX {
                // Too many addresses to remember: use the longest delay.
                return Self::LONGEST_WAIT;
            }
        }
        let (count, last) = known.entry(from).or_insert((0, now));
        if now.duration_since(*last) >= Self::FORGOTTEN {
            *count = 0;
        }
        *count = count.saturating_add(1);
        *last = now;
        // Log ever more rarely, so that an attacker cannot fill the log.
        if count.is_power_of_two() {
            tracing::warn!(%from, count = *count, why, "refused");
        }
        let doubled = Self::FIRST_WAIT.saturating_mul(1 << (*count - 1).min(16));
        doubled.min(Self::LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        list.iter().map(pair).collect()
    }

    #[test]
    fn a_host_is_read_strictly_and_without_case() {
        let name = |text: &str| HostName::parse(text).map(|host| host.text());
        assert_eq!(name("LocalHost:80").as_deref(), Some("localhost:80"));
        assert_eq!(name("[::1]:8080").as_deref(), Some("[::1]:8080"));
        assert_eq!(name("chat.example").as_deref(), Some("chat.example"));
        for bad in [
            "", ":80", "a b", "a:", "a:+1", "a:99999", "a/b", "a@b", "[::1", "[x]", "[::1]x",
            "a:1:2",
        ] {
            let expected = if bad == "a:" { None } else { name(bad) };
            assert_eq!(expected, None, "{bad}");
        }
    }

    #[test]
    fn loopback_names_and_those_that_were_given_are_answered_for() {
        let public = Origin::parse("https://Chat.Example/");
        let access = Access::new(&["Other.Example".into()], public, false);
        let answers = |host: &str| access.check(&headers(&[("host", host)])).is_ok();
        for good in [
            "127.0.0.1",
            "127.3.2.1:99",
            "LOCALHOST",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
            "other.example:1",
            "CHAT.example",
        ] {
            assert!(answers(good), "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", "10.0.0.1"] {
            assert!(!answers(bad), "{bad}");
        }
        assert!(
            access.check(&headers(&[("host", "localhost"), ("host", "evil.example")])).is_err()
        );
        assert!(access.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn links_begin_as_the_caller_reached_the_gateway_or_as_was_given() {
        let direct = Access::new(&[], None, false);
        let proxied = Access::new(&["chat.example".into()], None, true);
        let named = Access::new(&[], Origin::parse("https://chat.example"), true);
        let links = |access: &Access, list: &[(&'static str, &str)]| {
            access.links(&access.check(&headers(list)).unwrap())
        };
        let forwarded = [("host", "chat.example"), ("x-forwarded-proto", "https")];
        let local = [("host", "127.0.0.1:99"), ("x-forwarded-proto", "https")];
        assert_eq!(links(&direct, &local), "http://127.0.0.1:99", "nobody may say so");
        assert_eq!(links(&proxied, &forwarded), "https://chat.example");
        assert_eq!(links(&proxied, &[("host", "chat.example:81")]), "http://chat.example:81");
        assert_eq!(links(&named, &[("host", "127.0.0.1:99")]), "https://chat.example");
    }

    #[test]
    fn pages_of_the_same_origin_only_may_ask() {
        let access = Access::new(&["chat.example".into()], None, true);
        let ask = |origin: &str, proto: &str| {
            let list = [("host", "chat.example"), ("x-forwarded-proto", proto), ("origin", origin)];
            access.check(&headers(&list)).is_ok()
        };
        assert!(ask("https://chat.example", "https"));
        assert!(ask("http://chat.example", "http"));
        for (origin, proto) in [
            ("http://chat.example", "https"),
            ("https://chat.example", "http"),
            ("https://evil.example", "https"),
            ("null", "https"),
        ] {
            assert!(!ask(origin, proto), "{origin} over {proto}");
        }
    }

    #[test]
    fn a_client_that_guesses_waits_longer_each_time() {
        let refusals = Refusals::default();
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let now = Instant::now();
        let waits: Vec<u64> =
            (0..8).map(|_| refusals.add(a, "x", now).as_millis() as u64).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(refusals.add(b, "x", now).as_millis(), 100, "others are not held up by it");
        assert_eq!(refusals.add(a, "x", now + Refusals::FORGOTTEN).as_millis(), 100);
    }
}
