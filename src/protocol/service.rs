//! What differs between the services that speak the protocol, as data: paths, query values and hosts.
//!
//! `endpoint` builds requests from a profile, and the client checks hosts against it. No other module names a path or a
//! host of a service; a test checks that.

mod objects;
mod profiles;
mod sign_in;

pub use objects::ObjectProfile;
pub use profiles::{ProfileError, built_in_names};
pub use sign_in::{AccountKind, ServiceMap, SignInFallback, SignInProfile};

use crate::model::{AuthStyle, PollMode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

type ProfileText = String;
type ProfileList = Vec<String>;

/// A service. Every value is data: the built-in ones are in `assets/services`, and a configuration can change each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceProfile {
    pub about: ServiceAbout,
    pub bases: ServiceBases,
    pub requests: RequestProfile,
    pub polling: PollingProfile,
    pub new_chats: NewChatProfile,
    pub queries: ServiceQueries,
    pub paths: ServicePaths,
    pub hosts: ServiceHosts,
    pub objects: ObjectProfile,
    /// How an account signs in; `None` where the user has a token from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInProfile>,
}

/// What a user should know about a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAbout {
    pub title: ProfileText,
    /// A web page with the terms of the service; empty if there is none.
    pub terms: ProfileText,
    /// Built from public facts, and not tried on the real service by the authors.
    pub untested: bool,
}

/// Where a service is. Empty values are left to the account or to the service map; without either, the service does not
/// offer the operations there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceBases {
    pub chat: ProfileText,
    /// The same service at another host (facts 8.4).
    pub chat_fallback: ProfileText,
    pub scheduler: ProfileText,
    pub join: ProfileText,
    pub profiles: ProfileText,
    /// Says who is available (facts 8.12). It takes the same tokens as the profile service.
    pub presence: ProfileText,
}

/// The form of chat requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestProfile {
    pub auth: AuthStyle,
    /// Sent with every chat request (facts 8.6).
    pub headers: BTreeMap<String, String>,
    /// Items per page.
    pub page: u32,
    /// The credential that the profile service needs.
    pub names: NamesCredential,
    /// An accepted message counts as sent only when a page shows it (facts 8.7).
    pub sent_when_seen: bool,
}

/// The credential of the profile service, and with it the form of its request (facts 5, 8.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamesCredential {
    /// The Skype token alone.
    #[default]
    SkypeToken,
    /// The token of `sign_in.names_scope` beside it, which needs the user's consent.
    NamesToken,
    /// The access token beside it.
    AccessToken,
}

/// How a conversation with a person begins (facts 8.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChatProfile {
    /// A thread of two has to be created first; otherwise the id of the person is the id of the conversation.
    pub thread: bool,
    /// The role of this account in the thread; the other person is a user.
    pub own_role: ProfileText,
    /// The properties of the thread.
    pub properties: BTreeMap<String, String>,
}

/// How the client learns of changes, and how many requests the service tolerates (facts 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollingProfile {
    pub mode: PollMode,
    /// Seconds between two requests for the conversation list while the user is active.
    pub active_seconds: u64,
    /// The same after some minutes without a key press.
    pub idle_seconds: u64,
    /// The same after half an hour.
    pub away_seconds: u64,
    /// Requests per minute for the whole account; 0 for no limit.
    pub budget: u32,
}

/// Values of query parameters; lists are joined by a bar (facts 2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePaths {
    pub chats: ChatPaths,
    pub threads: ThreadPaths,
    pub events: EventPaths,
    pub services: SideServicePaths,
}

/// Conversations and their messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadPaths {
    pub create: ProfileText,
    pub thread: ProfileText,
    pub property: ProfileText,
    pub read_receipts: ProfileText,
    pub member: ProfileText,
}

/// Endpoints and their events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideServicePaths {
    /// Below the scheduler's base.
    pub create_join_url: ProfileText,
    /// Below the join service's base.
    pub resolve_join_url: ProfileText,
    /// Below the profile service's base.
    pub profiles: ProfileText,
    /// Below the presence service's base.
    pub presence: ProfileText,
}

/// Hosts that belong to a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceHosts {
    /// The endings of the hosts that an account may be moved to (facts 1.2).
    pub move_suffixes: ProfileList,
    /// The endings of the hosts that have the pictures and files of messages (facts 8.10). Besides the chat service
    /// itself, only these hosts get the token for them.
    pub object_suffixes: ProfileList,
    /// The host whose addresses lead to groups, whatever join service is configured.
    pub join: ProfileText,
    /// `baseDomain` of a new join URL.
    pub join_base: ProfileText,
}

/// A label of the hosts whose plain text holds XML entities (facts 7, row 22). Not part of a profile: it is looked for
/// in the links of stored messages, whichever service they came from.
pub(crate) const ENTITY_TEXT_HOST_LABEL: &str = "teams";

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

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
            if ["gateway", "start", "protocol/service"].iter().any(|own| name.starts_with(own)) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                // An address in a sentence for the user, which no code reads.
                let line = line.replace(" https://join.skype.com/CODE", "");
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
