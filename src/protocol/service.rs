//! What differs between the services that speak the protocol, as data: paths, query values and hosts.
//!
//! `endpoint` builds requests from a profile, and the client checks hosts against it. No other module
//! names a path or a host of a service; a test holds that.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

type ProfileText = Cow<'static, str>;
type ProfileList = Cow<'static, [ProfileText]>;

/// A service. Every value can be read from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceProfile {
    pub queries: ServiceQueries,
    pub paths: ServicePaths,
    pub hosts: ServiceHosts,
}

/// Values of query parameters; lists are joined by a bar (facts 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceQueries {
    /// `view` of lists of conversations and messages.
    pub list_view: ProfileList,
    /// `view` of one conversation or group.
    pub item_view: ProfileList,
    /// `targetType` of the conversation list.
    pub target_types: ProfileList,
}

/// Paths below the bases of a service (facts 1.5). `{chat}`, `{message}`, `{member}` and `{name}` stand for values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePaths {
    pub chats: ChatPaths,
    pub threads: ThreadPaths,
    pub events: EventPaths,
    pub services: SideServicePaths,
}

/// Conversations and their messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatPaths {
    pub list: ProfileText,
    pub conversation: ProfileText,
    pub messages: ProfileText,
    pub message: ProfileText,
    pub message_property: ProfileText,
    /// This account's own property of a conversation.
    pub property: ProfileText,
}

/// Groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadPaths {
    pub create: ProfileText,
    pub thread: ProfileText,
    pub property: ProfileText,
    pub read_receipts: ProfileText,
    pub member: ProfileText,
}

/// Endpoints and their events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventPaths {
    pub endpoints: ProfileText,
    pub endpoint_property: ProfileText,
    pub subscriptions: ProfileText,
    pub poll: ProfileText,
    /// What a subscription asks for: paths as the service itself names them.
    pub resources: ProfileList,
}

/// Services with a base of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideServicePaths {
    /// Below the scheduler's base.
    pub create_join_url: ProfileText,
    /// Below the join service's base.
    pub resolve_join_url: ProfileText,
    /// Below the profile service's base.
    pub profiles: ProfileText,
}

/// Hosts that belong to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceHosts {
    /// How the hosts end that an account may be moved to (facts 1.2).
    pub move_suffixes: ProfileList,
    /// The host whose addresses lead to groups, whatever join service is configured.
    pub join: ProfileText,
    /// `baseDomain` of a new join URL.
    pub join_base: ProfileText,
}

/// A label of the hosts whose plain text holds XML entities (facts 7, row 22). Not part of a profile: it is asked of
/// the links in stored messages, whichever service they came from.
pub(crate) const ENTITY_TEXT_HOST_LABEL: &str = "teams";

const fn text(value: &'static str) -> ProfileText {
    Cow::Borrowed(value)
}

const LIST_VIEW: &[ProfileText] =
    &[text("supportsExtendedHistory"), text("msnp24Equivalent"), text("supportsMessageProperties")];
const ITEM_VIEW: &[ProfileText] = &[text("msnp24Equivalent")];
const TARGET_TYPES: &[ProfileText] =
    &[text("Passport"), text("Skype"), text("Lync"), text("Thread"), text("PSTN"), text("Agent")];
const RESOURCES: &[ProfileText] = &[
    text("/v1/threads/ALL"),
    text("/v1/users/ME/contacts/ALL"),
    text("/v1/users/ME/conversations/ALL/messages"),
    text("/v1/users/ME/conversations/ALL/properties"),
];
const MOVE_SUFFIXES: &[ProfileText] =
    &[text(".skype.com"), text(".live.com"), text(".microsoft.com")];

impl ServiceProfile {
    /// Skype as the reference page describes it, which skchat's own gateway speaks, too.
    pub const fn reference() -> Self {
        Self {
            queries: ServiceQueries {
                list_view: Cow::Borrowed(LIST_VIEW),
                item_view: Cow::Borrowed(ITEM_VIEW),
                target_types: Cow::Borrowed(TARGET_TYPES),
            },
            paths: ServicePaths::reference(),
            hosts: ServiceHosts {
                move_suffixes: Cow::Borrowed(MOVE_SUFFIXES),
                join: text("join.skype.com"),
                join_base: text("https://join.skype.com/launch/"),
            },
        }
    }
}

impl ServicePaths {
    const fn reference() -> Self {
        Self {
            chats: ChatPaths {
                list: text("/users/ME/conversations"),
                conversation: text("/users/ME/conversations/{chat}"),
                messages: text("/users/ME/conversations/{chat}/messages"),
                message: text("/users/ME/conversations/{chat}/messages/{message}"),
                message_property: text(
                    "/users/ME/conversations/{chat}/messages/{message}/properties?name={name}",
                ),
                property: text("/users/ME/conversations/{chat}/properties?name={name}"),
            },
            threads: ThreadPaths {
                create: text("/threads"),
                thread: text("/threads/{chat}"),
                property: text("/threads/{chat}/properties?name={name}"),
                read_receipts: text("/threads/{chat}/consumptionhorizons"),
                member: text("/threads/{chat}/members/{member}"),
            },
            events: EventPaths {
                endpoints: text("/users/ME/endpoints"),
                endpoint_property: text("/users/ME/endpoints/SELF/properties?name={name}"),
                subscriptions: text("/users/ME/endpoints/SELF/subscriptions"),
                poll: text("/users/ME/endpoints/SELF/subscriptions/0/poll"),
                resources: Cow::Borrowed(RESOURCES),
            },
            services: SideServicePaths {
                create_join_url: text("/threads"),
                resolve_join_url: text("/api/v2/conversation/"),
                profiles: text("/v2/profiles"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    #[test]
    fn a_profile_can_be_written_to_a_file_and_read_back() {
        let profile = ServiceProfile::reference();
        let file = toml::to_string(&profile).unwrap();
        assert_eq!(toml::from_str::<ServiceProfile>(&file).unwrap(), profile);
        let mistyped = file.replace("move_suffixes", "move_sufixes");
        assert!(toml::from_str::<ServiceProfile>(&mistyped).is_err());
    }

    fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                out.push(path);
            }
        }
    }

    /// The gateway is such a service itself, and `start` puts it together with a client.
    #[test]
    fn no_other_module_names_a_host_or_a_path_of_a_service() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut all = Vec::new();
        sources(&src, &mut all);
        assert!(all.len() > 60, "the sources were found");
        let mut wrong = Vec::new();
        for path in all {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            if ["gateway", "start", "protocol/service.rs"].iter().any(|own| name.starts_with(own)) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                // An address in a sentence for the user, which no code reads.
                let line = line.replace("such as https://join.skype.com/CODE", "");
                let line = line.replace("like https://join.skype.com/CODE", "");
                let named = [
                    "skype.com",
                    "live.com",
                    "microsoft.com",
                    "skype.net",
                    "\"/v1",
                    "\"/v2",
                    "\"/users/",
                    "\"/threads",
                    "\"/api/",
                    "\"/endpoints",
                ];
                let found = named.iter().find(|word| line.contains(**word));
                wrong.extend(found.map(|word| format!("{name} names {word}: {}", line.trim())));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
