//! What the process keeps from others: its memory, and the secrets in its environment.

use nix::sys::signal::{SigSet, SigmaskHow};
use std::ffi::OsStr;
use std::io;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Variables that hold tokens, by their names.
static HIDDEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps tokens and messages out of core dumps, and other programs of the user from reading the memory.
///
/// # Errors
/// Any system error; the program is then as readable as any other.
pub fn protect_memory() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    // The limit has no effect where core dumps are piped to a program.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// From now on, these variables are not passed to programs that are started.
pub fn hide_variables(names: impl IntoIterator<Item = String>) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    for name in names {
        // The system does not take such names, so there is nothing to hide.
        if !name.is_empty() && !name.contains(['=', '\0']) && !hidden.contains(&name) {
            hidden.push(name);
        }
    }
}

/// A program to be started, without the variables that hold tokens.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in HIDDEN.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        command.env_remove(name);
    }
    command
}

/// Starts something with no signal blocked, because started programs would inherit that.
pub fn with_all_signals<T>(start: impl FnOnce() -> T) -> T {
    let held = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK);
    let result = start();
    if let Ok(held) = held {
        // Fails only for an invalid argument.
        let _ = held.thread_set_mask();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_does_not_get_the_variables_that_hold_tokens() {
        hide_variables(["SKCHAT_TEST_HIDDEN".to_owned(), String::new(), "A=B".to_owned()]);
        let command = command("true");
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        assert!(removed.iter().any(|(name, _)| *name == "SKCHAT_TEST_HIDDEN"));
        assert!(removed.iter().all(|(name, _)| !name.is_empty() && *name != "A=B"));
    }
}
