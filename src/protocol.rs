//! The wire format: converts between JSON, paths and markup and the types of `model`.
//!
//! Decoding never fails because of a single item: missing fields have defaults, unknown ones are kept (facts 3, 7). A
//! received message goes bytes -> [`wire`] -> `RawMessage` -> [`decode`] -> `Message`.
//!
#![doc = include_str!("protocol/FACTS.md")]

mod cursor;
pub mod decode;
pub mod encode;
pub(crate) mod endpoint;
mod entity;
pub mod html;
mod lenient;
mod link;
mod media;
mod payload;
pub mod richtext;
pub mod service;
pub mod sign_in;
mod tree;
pub mod wire;

pub use media::{ObjectState, media_expiry, media_object, object_state};
