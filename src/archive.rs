//! Reads the exports that Skype and Teams hand out (a tar, its folder, or its `messages.json`) and what `skchat export`
//! writes into the store of a read-only account.
//!
//! Nothing is extracted: members of a tar are read at their offsets ([`tar`]). A document of any size is cut into
//! messages in constant memory ([`scan`]), and each message is read alone by the decoder of live messages ([`item`]),
//! so that only a broken one itself is lost. `import` puts them into the store, `report` says what was read and what
//! was not. See facts 9 about exports.

pub mod head;
pub mod import;
pub mod item;
mod lines;
pub mod media;
mod people;
mod pipeline;
pub mod report;
pub mod scan;
pub mod source;
pub mod tar;

pub use import::{ImportOptions, import};
pub use report::ImportReport;
pub use source::{ArchiveError, Export};
