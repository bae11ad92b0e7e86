//! When the program was used before this run.

use crate::app::state::ABSENCE;
use crate::cli::context::STORE;
use std::path::Path;

/// When an account was last used, according to its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// There is no store yet.
    Never,
    Lately,
    /// Hours ago: a user who returns is told what is waiting.
    LongAgo,
}

impl LastRun {
    /// The last run of the account in this folder. To be called before its store is opened.
    pub fn of(dir: &Path) -> Self {
        let file = dir.join(STORE);
        if !file.exists() {
            return Self::Never;
        }
        // If the program did not end cleanly, the last writes are in the log.
        let log = dir.join(format!("{STORE}-wal"));
        let written =
            [file, log].into_iter().filter_map(|file| file.metadata().ok()?.modified().ok());
        let age = written.max().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age >= ABSENCE) { Self::LongAgo } else { Self::Lately }
    }

    /// The latest run of several accounts.
    pub fn of_all(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::Never, |latest, one| match (latest, one) {
            (Self::Lately, _) | (_, Self::Lately) => Self::Lately,
            (Self::LongAgo, _) | (_, Self::LongAgo) => Self::LongAgo,
            _ => Self::Never,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_store_says_when_the_program_was_used_last() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(LastRun::of(dir.path()), LastRun::Never);
        let file = File::create(dir.path().join(STORE)).unwrap();
        assert_eq!(LastRun::of(dir.path()), LastRun::Lately);
        file.set_modified(SystemTime::now() - ABSENCE - Duration::from_secs(60)).unwrap();
        assert_eq!(LastRun::of(dir.path()), LastRun::LongAgo);
        File::create(dir.path().join(format!("{STORE}-wal"))).unwrap();
        assert_eq!(LastRun::of(dir.path()), LastRun::Lately, "it was killed a moment ago");
    }

    #[test]
    fn of_several_accounts_the_latest_use_counts() {
        use LastRun::{Lately, LongAgo, Never};
        for (all, expected) in [
            (vec![], Never),
            (vec![Never, LongAgo], LongAgo),
            (vec![LongAgo, Lately, Never], Lately),
        ] {
            assert_eq!(LastRun::of_all(all.into_iter()), expected);
        }
    }
}
