//! The pictures and files that messages refer to, and that the service holds (facts 8.10).

use super::body::{Media, MediaKind};
use super::rich::host;
use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// The hosts of the files that an account can fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectHosts {
    /// Scheme, host and port of the chat service.
    pub origin: String,
    /// The endings of the other hosts.
    pub suffixes: Vec<String>,
}

/// A part of the address of every object.
const OBJECTS: &str = "/objects/";

impl ObjectHosts {
    /// Whether a file at this address is to be fetched with the account. The client checks it again.
    pub fn have(&self, url: &str) -> bool {
        let Some((scheme, rest)) = url.split_once("://") else { return false };
        let is_own = !self.origin.is_empty()
            && url.strip_prefix(&self.origin).is_some_and(|rest| rest.starts_with('/'));
        let is_listed = scheme == "https"
            && self.suffixes.iter().any(|suffix| host(url).ends_with(suffix.as_str()));
        rest.contains(OBJECTS) && (is_own || is_listed)
    }
}

/// A file that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFile {
    /// The address of the object, or of a view of it.
    pub url: SafeText,
    pub kind: MediaKind,
    /// Its own name; empty if it has none.
    pub name: SafeText,
    /// `[image] old-oven.jpg · 1.2 MB`
    pub label: SafeText,
}

impl ObjectFile {
    /// The file of a media message.
    pub fn of(media: &Media) -> Option<Self> {
        let url = media.object.clone()?;
        let label = SafeText::line(&media.text());
        Some(Self { url, kind: media.kind, name: media.name.clone(), label })
    }

    /// The picture or film that a formatted text has at this address: the view says which.
    pub fn at(url: SafeText) -> Self {
        let view = url.split_once("/views/").map_or("", |(_, view)| view);
        let kind = match view {
            view if view.starts_with("video") => MediaKind::Video,
            view if view.starts_with("audio") => MediaKind::Voice,
            view if view.starts_with("original") => MediaKind::File,
            _ => MediaKind::Image,
        };
        let label = SafeText::line(&format!("[{}]", kind.word()));
        Self { url, kind, name: SafeText::default(), label }
    }

    /// The object's id.
    pub fn object(&self) -> Option<&str> {
        let (_, rest) = self.url.split_once(OBJECTS)?;
        rest.split(['/', '?', '#']).next().filter(|id| !id.is_empty())
    }
}

/// How much of a file has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadProgress {
    pub received: u64,
    /// `None` if the service does not say how large it is.
    pub size: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_services_own_hosts_are_fetched_with_the_account() {
        let hosts = ObjectHosts {
            origin: "http://127.0.0.1:8080".into(),
            suffixes: vec![".asm.skype.com".into()],
        };
        for good in [
            "https://api.asm.skype.com/v1/objects/0-weu-d1-ab",
            "https://eu-api.asm.skype.com/v1/objects/0-a/views/imgo",
            "http://127.0.0.1:8080/v1/objects/0-a",
        ] {
            assert!(hosts.have(good), "{good}");
        }
        for bad in [
            "https://api.asm.skype.com/s/i?0-a",
            "http://api.asm.skype.com/v1/objects/0-a",
            "https://asm.skype.com.evil.example/v1/objects/0-a",
            "https://api.asm.skype.com@evil.example/v1/objects/0-a",
            "https://evil.example/v1/objects/0-a?.asm.skype.com",
            "http://127.0.0.1:80801/v1/objects/0-a",
            "http://127.0.0.1:8080@evil.example/v1/objects/0-a",
            "https://login.skype.com/login/sso?go=webclient.xmm&docid=0-a",
        ] {
            assert!(!hosts.have(bad), "{bad}");
        }
        assert!(!ObjectHosts::default().have("https://api.asm.skype.com/v1/objects/0-a"));
    }

    #[test]
    fn the_view_of_an_address_says_what_it_is() {
        let kind = |url: &str| ObjectFile::at(url.into()).kind;
        let of = |view: &str| kind(&format!("https://h.example/v1/objects/0-a/views/{view}"));
        assert_eq!(
            [of("imgo"), of("video"), of("audio"), of("original")].map(MediaKind::word),
            ["image", "video", "voice message", "file"]
        );
        let file = ObjectFile::at("https://h.example/v1/objects/0-a/views/imgo".into());
        assert_eq!((file.object(), file.label.as_str()), (Some("0-a"), "[image]"));
    }
}
