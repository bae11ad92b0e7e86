//! `skchat logout`: deletes the tokens of an account.

use super::Global;
use super::context::{ExitError, Session};
use clap::Args;

#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// Account in the configuration file [default: default_account, or the only one]
    account: Option<String>,
}

impl LogoutArgs {
    pub fn account<'a>(&'a self, global: &'a Global) -> Option<&'a str> {
        self.account.as_deref().or(global.account.as_deref())
    }
}

/// Deletes the tokens, and prints what that does not end.
///
/// # Errors
/// When the account's token comes from elsewhere, or the file cannot be changed.
pub async fn run(session: &Session) -> Result<(), ExitError> {
    let name = &session.name;
    let sign_in = session.sign_in()?.ok_or_else(|| {
        ExitError::usage(format!(
            "the token of \"{name}\" comes from its configuration, not from a sign-in"
        ))
    })?;
    let was_signed_in = if session.dir.exists() {
        sign_in.sign_out().await.map_err(|e| ExitError::failed(e.with_causes()))?
    } else {
        false
    };
    if !was_signed_in {
        println!("\"{name}\" was not signed in");
        return Ok(());
    }
    println!(
        "The tokens of \"{name}\" are deleted from this machine; its messages stay in {}.\n\
         This does not end the sign-in at the service itself. To end it, sign out everywhere on your account's \
         security page, or change the password.",
        session.dir.display()
    );
    Ok(())
}
