//! The people who may sign in: their tokens and display names.

use super::{GatewayUser, secret};
use crate::model::UserId;
use std::collections::HashMap;

pub struct Directory {
    users: Vec<GatewayUser>,
    names: HashMap<UserId, String>,
}

impl Directory {
    pub fn new(users: Vec<GatewayUser>) -> Self {
        let names = users.iter().map(|u| (u.id.clone(), u.name.clone())).collect();
        Self { users, names }
    }

    /// The display name; empty for those of whom none is known.
    pub fn name(&self, user: &UserId) -> &str {
        self.names.get(user).map_or("", String::as_str)
    }

    /// Whose Skype token this is. Every token is compared, so that the time taken does not tell which one nearly
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
