//! The pictures and files of the sample data (facts 8.10), and how strictly their host takes the token.

use super::secret;
use crate::model::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Placeholder in stored messages for the origin of the gateway, which is known only when a request arrives.
pub const ORIGIN: &str = "https://objects.gateway.invalid";
/// The maximum number of cookies that are remembered.
const MAX_COOKIES: usize = 1_000;

/// A file that a message refers to.
#[derive(Clone)]
pub struct StoredObject {
    pub content_type: &'static str,
    /// The views that give it.
    pub views: &'static [&'static str],
    pub bytes: Vec<u8>,
}

/// What a host of objects accepts. Each of them also accepts those after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectAuth {
    /// `Authorization: skype_token`
    #[default]
    Header,
    /// The Skype token as a cookie.
    Cookie,
    /// The cookie that it gives itself.
    Issued,
    /// A bearer token of a work account.
    Bearer,
    Nothing,
}

/// The objects of a gateway.
pub struct Objects(Mutex<ObjectsState>);

struct ObjectsState {
    held: HashMap<String, StoredObject>,
    auth: ObjectAuth,
    /// Objects that are not ready, and how many more answers are to say so.
    preparing: HashMap<String, u32>,
    cookies: HashMap<String, UserId>,
}

const PICTURE: &[&str] = &["imgpsh_fullsize", "imgo", "imgt1"];
const FILE: &[&str] = &["original"];

impl Default for Objects {
    fn default() -> Self {
        let object = |content_type, views, bytes: &[u8]| StoredObject {
            content_type,
            views,
            bytes: bytes.to_vec(),
        };
        let oven = include_bytes!("../../assets/demo/old-oven.png");
        let list = include_bytes!("../../assets/demo/shopping.txt");
        let held = HashMap::from([
            ("0-oven".to_owned(), object("image/png", PICTURE, oven)),
            ("0-list".to_owned(), object("text/plain", FILE, list)),
        ]);
        Self(Mutex::new(ObjectsState {
            held,
            auth: ObjectAuth::default(),
            preparing: HashMap::new(),
            cookies: HashMap::new(),
        }))
    }
}

impl Objects {
    fn state(&self) -> MutexGuard<'_, ObjectsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an object, or replaces one.
    pub fn put(&self, id: &str, object: StoredObject) {
        self.state().held.insert(id.to_owned(), object);
    }

    /// For tests: what is accepted from now on.
    pub fn accept(&self, auth: ObjectAuth) {
        self.state().auth = auth;
    }

    pub(super) fn accepts(&self, way: ObjectAuth) -> bool {
        let auth = self.state().auth;
        auth == way || (auth <= way && way <= ObjectAuth::Issued)
    }

    /// For tests: an object is not ready until it was asked about this many times.
    pub fn prepare(&self, id: &str, times: u32) {
        self.state().preparing.insert(id.to_owned(), times);
    }

    pub(super) fn is_preparing(&self, id: &str) -> bool {
        self.state().preparing.contains_key(id)
    }

    /// Whether an object is ready; each call brings it closer to that.
    pub(super) fn becomes_ready(&self, id: &str) -> bool {
        let mut state = self.state();
        let Some(left) = state.preparing.get_mut(id) else { return true };
        *left = left.saturating_sub(1);
        if *left == 0 {
            state.preparing.remove(id);
        }
        false
    }

    pub(super) fn view(&self, id: &str, view: &str) -> Option<StoredObject> {
        self.state().held.get(id).filter(|object| object.views.contains(&view)).cloned()
    }

    /// A cookie for this user.
    pub(super) fn issue(&self, user: &UserId) -> String {
        let mut state = self.state();
        if state.cookies.len() >= MAX_COOKIES {
            state.cookies.clear();
        }
        let cookie = secret::token();
        state.cookies.insert(cookie.clone(), user.clone());
        cookie
    }

    /// For tests: cookies that were given are not accepted any more.
    pub fn end_cookies(&self) {
        self.state().cookies.clear();
    }

    pub(super) fn user_of_cookie(&self, cookie: &str) -> Option<UserId> {
        self.state().cookies.get(cookie).cloned()
    }
}
