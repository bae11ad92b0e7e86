//! The users who can sign in: their tokens and display names.

use super::storage::Digest;
use super::{GatewayUser, secret};
use crate::model::UserId;
use std::collections::HashMap;

pub struct Directory {
    users: Vec<GatewayUser>,
    places: HashMap<UserId, usize>,
    known_only: bool,
}

impl Directory {
    /// With `known_only`, nobody else exists.
    pub fn new(users: Vec<GatewayUser>, known_only: bool) -> Self {
        let places = users.iter().enumerate().map(|(i, user)| (user.id.clone(), i)).collect();
        Self { users, places, known_only }
    }

    fn find(&self, user: &UserId) -> Option<&GatewayUser> {
        self.places.get(user).and_then(|place| self.users.get(*place))
    }

    /// Whether this person may exist.
    pub fn may_exist(&self, user: &UserId) -> bool {
        !self.known_only || self.places.contains_key(user)
    }

    /// A hash of the user's Skype token, to detect that it was changed.
    pub fn credential(&self, user: &UserId) -> Option<Digest> {
        self.find(user).map(|user| secret::digest(&[&user.token]))
    }

    /// The display name; empty if it is not known.
    pub fn name(&self, user: &UserId) -> &str {
        self.find(user).map_or("", |user| user.name.as_str())
    }

    /// The user with this Skype token. Every token is compared, so that the time does not reveal which one nearly
    /// matched.
    pub fn user_of(&self, token: &str) -> Option<UserId> {
        if token.is_empty() {
            return None;
        }
        let mut found = None;
        for user in &self.users {
            if secret::same(&user.token, token) {
                found = Some(user.id.clone());
            }
        }
        found
    }
}
