//! Reading profiles: the built-in files, and what a configuration changes in them.
//!
//! A file holds only what differs from the profile that it is based on.

use super::ServiceProfile;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use toml::{Table, Value};

static BUILT_IN: [BuiltIn; 4] = [
    BuiltIn::new(LOCAL, include_str!("../../../assets/services/local.toml")),
    BuiltIn::new("skype", include_str!("../../../assets/services/skype.toml")),
    BuiltIn::new("teams-free", include_str!("../../../assets/services/teams-free.toml")),
    BuiltIn::new("teams-work", include_str!("../../../assets/services/teams-work.toml")),
];

/// A built-in profile.
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    /// Kept because it is needed several times at startup, and reading it takes a good part of that time.
    unchanged: OnceLock<ServiceProfile>,
}

impl BuiltIn {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, unchanged: OnceLock::new() }
    }

    fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|known| known.name == name)
    }

    /// The profile as it is built in.
    fn profile(&self) -> Result<ServiceProfile, ProfileError> {
        if let Some(known) = self.unchanged.get() {
            return Ok(known.clone());
        }
        let read = read(self.name, &BTreeMap::new())?;
        Ok(self.unchanged.get_or_init(|| read).clone())
    }
}

/// The names of the built-in profiles.
pub fn built_in_names() -> [&'static str; BUILT_IN.len()] {
    BUILT_IN.each_ref().map(|profile| profile.name)
}

/// The profile of accounts that do not name one, and the one that all others are based on.
const LOCAL: &str = "local";
/// The profile that a file is based on.
const BASED_ON: &str = "based_on";
/// One origin (scheme, host and port) for all addresses of a profile.
const ORIGIN: &str = "origin";
/// The maximum length of a chain of profiles.
const MAX_CHAIN: usize = 8;

/// What is wrong with a profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no service \"{0}\"; the known ones are {1}")]
    Unknown(String, String),
    #[error("the services are based on each other in a loop")]
    Circle,
    #[error("{0}")]
    Invalid(String),
}

impl ServiceProfile {
    /// Skype as the reference page describes it, which skchat's own gateway speaks, too.
    pub fn reference() -> Self {
        Self::named(LOCAL, &BTreeMap::new()).unwrap_or_default()
    }

    /// The profile with this name. `changes` are the tables `[services.NAME]` of a configuration: they change a
    /// built-in profile of the same name, or make a new one.
    ///
    /// # Errors
    /// If there is no such profile, or a value of it is missing, unknown or of the wrong type.
    pub fn named(name: &str, changes: &BTreeMap<String, Table>) -> Result<Self, ProfileError> {
        // Built-in profiles are based on built-in ones only.
        let are_changed = built_in_names().iter().any(|name| changes.contains_key(*name));
        match BuiltIn::named(name).filter(|_| !are_changed) {
            Some(built_in) => built_in.profile(),
            None => read(name, changes),
        }
    }

    /// Moves all addresses to one origin: a gateway that emulates the service.
    fn use_origin(&mut self, origin: &str) {
        let bases = &mut self.bases;
        let mut addresses = vec![
            &mut bases.chat,
            &mut bases.chat_fallback,
            &mut bases.scheduler,
            &mut bases.join,
            &mut bases.profiles,
            &mut bases.presence,
        ];
        if let Some(sign_in) = &mut self.sign_in {
            addresses.extend([&mut sign_in.authority, &mut sign_in.exchange, &mut sign_in.tenants]);
        }
        for address in addresses {
            if let Some((_, rest)) = address.split_once("://") {
                let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
                *address = format!("{origin}{path}");
            }
        }
    }
}

/// The profile with this name, read from the built-in files and a configuration.
fn read(name: &str, changes: &BTreeMap<String, Table>) -> Result<ServiceProfile, ProfileError> {
    let mut table = merged(name, changes, MAX_CHAIN)?;
    let origin = match table.remove(ORIGIN) {
        Some(Value::String(origin)) => Some(origin),
        Some(_) => return Err(ProfileError::Invalid("origin must be a string".into())),
        None => None,
    };
    let mut profile: ServiceProfile = table.try_into().map_err(|e: toml::de::Error| {
        ProfileError::Invalid(e.message().lines().next().unwrap_or_default().to_owned())
    })?;
    if let Some(origin) = origin {
        profile.use_origin(origin.trim_end_matches('/'));
    }
    Ok(profile)
}

/// A profile as a table, with those that it is based on.
fn merged(
    name: &str,
    changes: &BTreeMap<String, Table>,
    chain: usize,
) -> Result<Table, ProfileError> {
    if chain == 0 {
        return Err(ProfileError::Circle);
    }
    let built_in = BuiltIn::named(name).map(|profile| profile.text);
    let change = changes.get(name).cloned();
    if built_in.is_none() && change.is_none() {
        let own = changes.keys().map(String::as_str);
        let mut known: Vec<&str> = own.chain(built_in_names()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(ProfileError::Unknown(name.to_owned(), known.join(", ")));
    }
    let mut table = Table::new();
    for layer in [built_in.map(parsed).transpose()?, change].into_iter().flatten() {
        let mut layer = layer;
        let base = match layer.remove(BASED_ON) {
            Some(Value::String(base)) => Some(base),
            Some(_) => return Err(ProfileError::Invalid("based_on must be a string".into())),
            None if built_in.is_none() => Some(LOCAL.to_owned()),
            None => None,
        };
        if let Some(base) = base {
            overlay(&mut table, merged(&base, changes, chain - 1)?);
        }
        overlay(&mut table, layer);
    }
    Ok(table)
}

fn parsed(text: &str) -> Result<Table, ProfileError> {
    text.parse().map_err(|e: toml::de::Error| ProfileError::Invalid(e.message().to_owned()))
}

/// Puts the values of `upper` over those of `lower`, table by table. An empty table replaces one.
fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !above.is_empty() => {
                overlay(below, above);
            }
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> BTreeMap<String, Table> {
        toml::from_str(text).unwrap()
    }

    fn error(name: &str, text: &str) -> String {
        ServiceProfile::named(name, &changes(text)).unwrap_err().to_string()
    }

    #[test]
    fn every_built_in_profile_reads_and_can_be_written_and_read_again() {
        for name in built_in_names() {
            let profile = ServiceProfile::named(name, &BTreeMap::new()).unwrap();
            let file = toml::to_string(&profile).unwrap();
            assert_eq!(toml::from_str::<ServiceProfile>(&file).unwrap(), profile, "{name}");
        }
        assert_ne!(ServiceProfile::reference(), ServiceProfile::default());
    }

    #[test]
    fn live_services_are_polled_within_a_budget_and_say_that_they_are_untested() {
        for name in ["teams-free", "teams-work"] {
            let profile = ServiceProfile::named(name, &BTreeMap::new()).unwrap();
            assert!(profile.about.untested && profile.about.terms.starts_with("https://"));
            assert_eq!(profile.polling.mode, crate::model::PollMode::Interval);
            assert_eq!(profile.polling.budget, 15);
            assert!(profile.sign_in.is_some());
        }
    }

    #[test]
    fn a_configuration_changes_single_values_and_makes_profiles_of_its_own() {
        let own = changes(
            "[teams-free.sign_in]\nclient_id = \"x\"\n[mine]\nbased_on = \"teams-free\"\nbases.chat = \"https://chat.example/v1\"",
        );
        let unchanged = ServiceProfile::named("teams-free", &BTreeMap::new()).unwrap();
        let changed = ServiceProfile::named("teams-free", &own).unwrap();
        assert_ne!(unchanged, changed);
        let sign_in = changed.sign_in.unwrap();
        assert_eq!((sign_in.client_id.as_str(), sign_in.tenant.as_str()), ("x", "consumers"));
        let mine = ServiceProfile::named("mine", &own).unwrap();
        assert_eq!(mine.bases.chat, "https://chat.example/v1");
        assert_eq!(mine.sign_in.unwrap().client_id, "x", "based on the changed one");
    }

    #[test]
    fn one_origin_moves_all_addresses_and_keeps_their_paths() {
        let own = changes("[mine]\nbased_on = \"teams-free\"\norigin = \"http://127.0.0.1:8080/\"");
        let mine = ServiceProfile::named("mine", &own).unwrap();
        assert_eq!(mine.bases.chat, "http://127.0.0.1:8080/api/chatsvc/consumer/v1");
        assert_eq!(mine.bases.scheduler, "");
        let sign_in = mine.sign_in.unwrap();
        assert_eq!(sign_in.authority, "http://127.0.0.1:8080");
        assert_eq!(sign_in.exchange, "http://127.0.0.1:8080/api/auth/v1.0/authz/consumer");
    }

    #[test]
    fn mistakes_in_profiles_are_named() {
        assert_eq!(
            error("temas-free", ""),
            "there is no service \"temas-free\"; the known ones are local, skype, teams-free, teams-work"
        );
        assert!(error("skype", "[skype.bases]\nchatt = \"x\"").contains("unknown field `chatt`"));
        assert!(error("skype", "[skype.polling]\nbudget = \"many\"").contains("expected u32"));
        let looping = "[a]\nbased_on = \"b\"\n[b]\nbased_on = \"a\"";
        assert!(error("a", looping).contains("loop"));
    }
}
