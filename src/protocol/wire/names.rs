//! Display names on the wire (facts 5).

use super::message::WireMessage;
use crate::model::{UserId, is_name};
use crate::protocol::entity;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The name of a message's sender: the one given with the message, those of the sender's token, or that in `from`,
/// where the sender is an object.
pub fn of_sender<'a>(
    item: &'a WireMessage<'_>,
    from: Option<&RawValue>,
    sender: &UserId,
) -> Option<Cow<'a, str>> {
    let object = || {
        let from: Value = serde_json::from_str(from?.get()).ok()?;
        from.is_object().then(|| of_person(&from))?.map(Cow::from)
    };
    let given = [&item.imdisplayname, &item.im_display_name, &item.display_name, &item.token_name];
    let given = given.iter().filter_map(|name| name.some()).map(clean);
    if let Some(name) = given.into_iter().find(|name| is_name(sender, name)) {
        return Some(name);
    }
    let name = full(item.given_name.as_str(), item.family_name.as_str()).map(Cow::from);
    name.or_else(object).filter(|name| is_name(sender, name))
}

/// The name in an object that describes a person, such as a profile or a member; or else the given and family name.
pub fn of_person(item: &Value) -> Option<String> {
    let fields = item.as_object()?;
    let text = |names: &[&str]| {
        names.iter().find_map(|name| {
            let mut same = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            same.find_map(|(_, value)| Some(clean(value.as_str()?).into_owned()))
                .filter(|text| !text.is_empty())
        })
    };
    text(&["displayName", "friendlyName", "display_name", "name"]).or_else(|| {
        let given = text(&["givenName", "firstName", "given_name", "first"]);
        let family = text(&["surname", "familyName", "lastName", "family_name", "last"]);
        full(&given.unwrap_or_default(), &family.unwrap_or_default())
    })
}

/// Names sometimes contain character references.
fn clean(name: &str) -> Cow<'_, str> {
    match entity::unescape(name) {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
        Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
    }
}

fn full(given: &str, family: &str) -> Option<String> {
    let both = format!("{} {}", clean(given), clean(family));
    let both = both.trim();
    (!both.is_empty()).then(|| both.to_owned())
}
