//! The wire format: JSON, paths and markup on one side, `model` types on the other.
//!
//! Reading never fails on a single item: what is missing has a default, what is unknown is kept (facts 3, 7).
//! The way of a message is bytes -> [`wire`] -> `RawMessage` -> [`decode`] -> `Message`.
//!
#![doc = include_str!("protocol/FACTS.md")]

pub mod decode;
pub mod encode;
pub mod endpoint;
pub mod entity;
pub mod html;
pub mod lenient;
pub mod link;
pub mod payload;
pub mod richtext;
pub mod tree;
pub mod wire;
