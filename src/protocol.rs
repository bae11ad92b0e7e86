//! The wire format: JSON, paths and markup on one side, `model` types on the other.
//!
//! Reading never fails on a single item: what is missing has a default, what is unknown is kept (facts 3, 7).
//! The way of a message is bytes -> [`wire`] -> `RawMessage` -> [`decode`] -> `Message`.
//!
#![doc = include_str!("protocol/FACTS.md")]

pub mod decode;
pub mod encode;
pub(crate) mod endpoint;
mod entity;
pub mod html;
mod lenient;
mod link;
mod payload;
pub mod richtext;
pub mod service;
mod tree;
pub mod wire;
