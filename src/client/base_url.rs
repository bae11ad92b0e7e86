//! Which addresses requests may go to: the configured ones, and hosts that the service moves an account to.

use super::error::Error;
use reqwest::Url;
use std::fmt;

/// The base URL of a service, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a string is not accepted as a base URL.
#[derive(Debug, thiserror::Error)]
pub enum BaseUrlError {
    #[error("it is not a URL")]
    NotAUrl,
    #[error("only http and https are supported")]
    Scheme,
    #[error(
        "plain http is only allowed for this machine (127.0.0.1, localhost); use https, or a tunnel such as ssh -L"
    )]
    PlainHttp,
    #[error("it must not contain a user name, a password, a query or a fragment")]
    Extras,
}

impl BaseUrl {
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl)?;
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(BaseUrlError::Extras);
        }
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(BaseUrlError::PlainHttp),
            _ => return Err(BaseUrlError::Scheme),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Whether `text` is a join code, or an address of this join service or of the service's public one.
    pub(super) fn is_join_url(&self, text: &str, public_host: &str) -> bool {
        let text = text.trim();
        if !text.contains(['/', ':']) {
            return !text.is_empty();
        }
        Url::parse(text).is_ok_and(|url| {
            let public = url.scheme() == "https" && url.host_str() == Some(public_host);
            public || url.origin() == self.0.origin()
        })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The base with another last part: `…/profiles` beside `…/v1`. `None` for hosts of a service that ends with one of
    /// these suffixes, whose other parts are elsewhere.
    pub(crate) fn beside(&self, name: &str, suffixes: &[String]) -> Option<BaseUrl> {
        let host = self.0.host_str()?;
        if suffixes.iter().any(|suffix| host.ends_with(suffix.as_str())) {
            return None;
        }
        let mut url = self.0.clone();
        let above =
            url.path().trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        let path = format!("{above}/{name}");
        url.set_path(&path);
        Some(BaseUrl(url))
    }

    /// The address of a path below this base. It always has the base's origin.
    ///
    /// # Errors
    /// When the path would lead to another origin.
    pub(super) fn join(&self, path: &str) -> Result<Url, Error> {
        let base = self.0.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}"))
            .map_err(|_| Error::bad_answer("the request has no valid address"))?;
        if url.origin() != self.0.origin() || !url.username().is_empty() {
            return Err(Error::bad_answer("the request would leave the configured server"));
        }
        Ok(url)
    }

    /// Whether the service map, which came from this base, may name `other`: on the same origin, or, for a service, on
    /// another of its hosts (facts 8.4).
    pub(super) fn may_map_to(&self, other: &BaseUrl, suffixes: &[String]) -> bool {
        let service = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let known = suffixes.iter().any(|suffix| host.ends_with(suffix.as_str()));
            url.scheme() == "https" && url.port().is_none() && known
        };
        self.0.origin() == other.0.origin() || (service(&self.0) && service(&other.0))
    }

    /// The object that an address leads to, or a view of it: at this origin, or at a host of the service that ends with
    /// one of these suffixes. `None` for all others, which must not get a token (facts 8.10).
    pub(super) fn object(&self, address: &str, suffixes: &[String]) -> Option<BaseUrl> {
        let mut url = Url::parse(address.trim()).ok()?;
        let host = url.host_str()?;
        let is_listed = url.scheme() == "https"
            && url.port().is_none()
            && suffixes.iter().any(|suffix| host.ends_with(suffix.as_str()));
        let is_own = url.origin() == self.0.origin();
        if !(is_listed || is_own) || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let segments: Vec<&str> = url.path_segments()?.collect();
        let at = segments.iter().position(|segment| *segment == "objects")?;
        let id = segments.get(at + 1).filter(|id| !id.is_empty())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        if !id.chars().all(plain) {
            return None;
        }
        let path = format!("/{}", segments.get(..at + 2)?.join("/"));
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        Some(BaseUrl(url))
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// A path at this origin, whatever the path of the base.
    pub(super) fn at_origin(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The base that a `Location` moves this one to, if that is allowed (facts 1.2): only to https, and only from one
    /// host of the service to another, which their suffixes show.
    pub(super) fn moved_to(&self, location: &str, suffixes: &[String]) -> Option<BaseUrl> {
        let url = Url::parse(location).ok()?;
        let host = url.host_str()?;
        let ours = self.0.host_str()?;
        let service = |host: &str| suffixes.iter().any(|suffix| host.ends_with(suffix.as_str()));
        let allowed = url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && service(host)
            && service(ours);
        if !allowed {
            return None;
        }
        let mut base = self.0.clone();
        base.set_host(Some(host)).ok()?;
        Some(BaseUrl(base))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::service::ServiceProfile;

    #[test]
    fn plain_http_stays_on_this_machine() {
        assert!(BaseUrl::parse("http://127.0.0.1:8080/v1/").is_ok());
        assert!(BaseUrl::parse("http://localhost/v1").is_ok());
        assert!(BaseUrl::parse("http://[::1]:1/v1").is_ok());
        assert!(matches!(BaseUrl::parse("http://chat.example/v1"), Err(BaseUrlError::PlainHttp)));
        assert!(matches!(
            BaseUrl::parse("http://127.0.0.1.evil.example/v1"),
            Err(BaseUrlError::PlainHttp)
        ));
        assert!(matches!(BaseUrl::parse("ftp://localhost/"), Err(BaseUrlError::Scheme)));
        assert!(matches!(BaseUrl::parse("https://u:p@chat.example/"), Err(BaseUrlError::Extras)));
    }

    #[test]
    fn a_path_cannot_leave_its_base() {
        let base = BaseUrl::parse("http://127.0.0.1:8080/v1").unwrap();
        assert_eq!(base.join("/threads").unwrap().as_str(), "http://127.0.0.1:8080/v1/threads");
        assert!(base.join("@evil.example/").is_ok_and(|u| u.host_str() == Some("127.0.0.1")));
    }

    #[test]
    fn a_service_map_stays_with_the_service() {
        let suffixes = ServiceProfile::reference().hosts.move_suffixes;
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let live = base("https://teams.live.com/api/auth/v1.0/authz/consumer");
        let own = base("http://127.0.0.1:8080/api/auth/v1.0/authz/consumer");
        assert!(live.may_map_to(&base("https://msgapi.teams.live.com/v1"), &suffixes));
        assert!(own.may_map_to(&base("http://127.0.0.1:8080/v1"), &suffixes));
        for (from, to) in [
            (&live, "https://evil.example/v1"),
            (&live, "https://live.com.evil.example/v1"),
            (&live, "http://127.0.0.1:8080/v1"),
            (&live, "https://x.live.com:8443/v1"),
            (&own, "http://127.0.0.1:8081/v1"),
            (&own, "https://msgapi.teams.live.com/v1"),
        ] {
            assert!(!from.may_map_to(&base(to), &suffixes), "{to}");
        }
    }

    #[test]
    fn only_the_services_own_hosts_move_an_account() {
        let service = BaseUrl::parse("https://client-s.gateway.messenger.live.com/v1").unwrap();
        let suffixes = ServiceProfile::reference().hosts.move_suffixes;
        let moved = |to: &str| service.moved_to(to, &suffixes).map(|b| b.0.to_string());
        assert_eq!(
            moved("https://db5-client-s.gateway.messenger.live.com/v1/users/ME/endpoints")
                .as_deref(),
            Some("https://db5-client-s.gateway.messenger.live.com/v1")
        );
        for bad in [
            "http://db5.live.com/v1",
            "https://evil.example/v1",
            "https://live.com.evil.example/v1",
            "https://x.live.com:444/v1",
            "https://u@x.live.com/v1",
        ] {
            assert_eq!(moved(bad), None, "{bad}");
        }
        let own = BaseUrl::parse("http://127.0.0.1:8080/v1").unwrap();
        assert!(own.moved_to("https://x.live.com/v1", &suffixes).is_none());
    }

    #[test]
    fn objects_are_only_at_the_services_hosts_for_them_and_at_the_own_origin() {
        let profile = ServiceProfile::named("teams-free", &std::collections::BTreeMap::new());
        let suffixes = profile.unwrap().hosts.object_suffixes;
        let live = BaseUrl::parse("https://teams.live.com/api/chatsvc/consumer/v1").unwrap();
        let own = BaseUrl::parse("http://127.0.0.1:8080/v1").unwrap();
        let of = |base: &BaseUrl, address: &str| {
            base.object(address, &suffixes).map(|object| object.0.to_string())
        };
        let object = "https://eu-api.asm.skype.com/v1/objects/0-weu-d1-ab";
        assert_eq!(of(&live, object).as_deref(), Some(object));
        assert_eq!(of(&live, &format!("{object}/views/imgo?x=1#y")).as_deref(), Some(object));
        for host in ["as-prod.asyncgw.teams.live.com", "emea-prod.asyncgw.teams.microsoft.com"] {
            assert!(of(&live, &format!("https://{host}/v1/objects/0-a")).is_some(), "{host}");
        }
        let mine = "http://127.0.0.1:8080/v1/objects/0-a";
        assert_eq!(of(&own, mine).as_deref(), Some(mine));
        for bad in [
            mine,
            "http://api.asm.skype.com/v1/objects/0-a",
            "https://api.asm.skype.com:8443/v1/objects/0-a",
            "https://u@api.asm.skype.com/v1/objects/0-a",
            "https://api.asm.skype.com@evil.example/v1/objects/0-a",
            "https://api.asm.skype.com.evil.example/v1/objects/0-a",
            "https://evilasm.skype.com/v1/objects/0-a",
            "https://media.giphy.com/v1/objects/0-a",
            "https://api.asm.skype.com/v1/objects/",
            "https://api.asm.skype.com/s/i?0-a",
            "https://api.asm.skype.com/v1/objects/0-a%2f..",
        ] {
            let found = of(&live, bad);
            assert!(found.is_none(), "{bad}: {found:?}");
        }
        assert_eq!(of(&own, "http://127.0.0.1:8081/v1/objects/0-a"), None);
    }

    #[test]
    fn names_are_looked_up_only_at_the_users_own_gateway() {
        let suffixes = ServiceProfile::reference().hosts.move_suffixes;
        let beside = |base: &str| {
            let base = BaseUrl::parse(base).unwrap().beside("profiles", &suffixes);
            base.map(|base| base.0.to_string())
        };
        for (base, names) in [
            ("http://127.0.0.1:8080/v1", Some("http://127.0.0.1:8080/profiles")),
            ("http://127.0.0.1:8080/v1/", Some("http://127.0.0.1:8080/profiles")),
            ("https://chat.example/gateway/v1", Some("https://chat.example/gateway/profiles")),
            ("https://chat.example", Some("https://chat.example/profiles")),
            ("https://client-s.gateway.messenger.live.com/v1", None),
            ("https://teams.live.com/api/chatsvc/consumer/v1", None),
        ] {
            assert_eq!(beside(base).as_deref(), names, "{base}");
        }
    }
}
