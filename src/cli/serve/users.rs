//! The users who can sign in: from a file, from the command line, and from the sample data.

use super::{ServeArgs, files};
use crate::cli::context::ExitError;
use crate::cli::lines;
use crate::gateway::{GatewayUser, demo, is_person_id};
use crate::model::UserId;
use std::collections::HashMap;
use std::path::Path;

/// All users according to the command line.
///
/// # Errors
/// If a file or an argument is not valid.
pub fn gather(arguments: &ServeArgs) -> Result<Vec<GatewayUser>, ExitError> {
    let mut users = Vec::new();
    if let Some(file) = &arguments.users {
        users = parse_file(file, &files::read_private(file)?)?;
    }
    for pair in &arguments.user {
        let (id, token) = pair
            .split_once('=')
            .filter(|(id, token)| is_person_id(id) && !token.is_empty())
            .ok_or_else(|| ExitError::usage("--user takes ID=TOKEN, such as 8:anna.7=secret"))?;
        let user =
            GatewayUser { id: UserId::new(id), token: token.to_owned(), name: demo::name_of(id) };
        if let Some(double) = double(&users, &user) {
            return Err(ExitError::usage(format!("--user {id}: {double}")));
        }
        users.push(user);
    }
    if arguments.users.is_none() && arguments.user.is_empty() {
        return fresh(&arguments.db);
    }
    if arguments.demo {
        // The scripted people do not sign in, but they have names.
        for user in demo::users() {
            if users.iter().all(|known| known.id != user.id) {
                users.push(user);
            }
        }
    }
    Ok(users)
}

/// Why a user conflicts with the others; `None` if there is no conflict.
fn double(known: &[GatewayUser], user: &GatewayUser) -> Option<&'static str> {
    if known.iter().any(|other| other.id == user.id) {
        return Some("this id occurs twice");
    }
    let same_token = known.iter().any(|other| other.token == user.token);
    same_token.then_some("another user has the same token")
}

fn parse_file(file: &Path, text: &str) -> Result<Vec<GatewayUser>, ExitError> {
    parse(text).map_err(|(line, why)| match line {
        Some(line) => ExitError::usage(format!("{}:{line}: {why}", file.display())),
        None => ExitError::usage(format!("{}: {why}", file.display())),
    })
}

type WrongLine = (Option<usize>, &'static str);

/// Parses lines of the form `ID TOKEN DISPLAY NAME`. Empty lines and lines that begin with `#` are ignored.
fn parse(text: &str) -> Result<Vec<GatewayUser>, WrongLine> {
    if text.starts_with('\u{feff}') {
        return Err((Some(1), "it begins with a byte order mark; save the file without one"));
    }
    let mut users: Vec<GatewayUser> = Vec::new();
    let mut ids = HashMap::new();
    let mut tokens = HashMap::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why| (Some(i + 1), why);
        let user = user_of_line(line).map_err(wrong)?;
        if ids.insert(user.id.clone(), i).is_some() {
            return Err(wrong("this id occurs twice"));
        }
        if tokens.insert(user.token.clone(), i).is_some() {
            return Err(wrong("another user has the same token"));
        }
        users.push(user);
    }
    if users.is_empty() {
        return Err((None, "it contains no users"));
    }
    Ok(users)
}

/// Parses `ID TOKEN DISPLAY NAME`, separated by white space.
fn user_of_line(line: &str) -> Result<GatewayUser, &'static str> {
    const FORM: &str = "a line must be \"ID TOKEN DISPLAY NAME\"";
    let (id, rest) = line.split_once(char::is_whitespace).ok_or(FORM)?;
    let rest = rest.trim_start();
    let (token, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if !is_person_id(id) {
        return Err("the id is not a person's; it must be like 8:anna.7");
    }
    if looks_like_a_name(token, name.trim()) {
        return Err("the token looks like a name; a line must be \"ID TOKEN DISPLAY NAME\"");
    }
    Ok(GatewayUser { id: UserId::new(id), token: token.to_owned(), name: name.trim().to_owned() })
}

/// Without a token, the first word of the name would become the secret.
fn looks_like_a_name(token: &str, rest: &str) -> bool {
    let letters = token.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '.'));
    let mut chars = token.chars();
    let capital = chars.next().is_some_and(char::is_uppercase);
    letters && (rest.is_empty() || capital && chars.all(|c| !c.is_uppercase()))
}

/// The sample users with random tokens, which are written to `FILE.users`. An existing file is used as it is.
fn fresh(db: &Path) -> Result<Vec<GatewayUser>, ExitError> {
    let file = files::beside(db, ".users");
    let users = if let Some(text) = files::read_private_if_there(&file)? {
        parse_file(&file, &text)?
    } else {
        let users = demo::users();
        let line = |u: &GatewayUser| format!("{} {} {}\n", u.id.as_str(), u.token, u.name);
        files::write_private(&file, &users.iter().map(line).collect::<String>())?;
        users
    };
    lines::warn(&format!("the tokens of the users are in {}", file.display()));
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> WrongLine {
        parse(text).err().unwrap_or_else(|| panic!("{text:?} was taken"))
    }

    #[test]
    fn a_users_file_has_a_line_for_each_person() {
        let text = "# people\n\n8:anna.7 A-LONG-SECRET Anna Lindqvist\r\n\t28:bot  x7f3  \n8:joe.4 correcthorse Joe\n";
        let users = parse(text).unwrap();
        let list: Vec<_> =
            users.iter().map(|u| (u.id.as_str(), u.token.as_str(), u.name.as_str())).collect();
        assert_eq!(
            list,
            [
                ("8:anna.7", "A-LONG-SECRET", "Anna Lindqvist"),
                ("28:bot", "x7f3", ""),
                ("8:joe.4", "correcthorse", "Joe")
            ]
        );
    }

    #[test]
    fn what_is_wrong_in_a_users_file_is_said_with_its_line() {
        let good = "8:anna.7 secret-1 Anna\n";
        for (text, line, word) in [
            ("", None, "no users"),
            ("# nobody\n", None, "no users"),
            ("\u{feff}8:anna.7 secret-1 Anna\n", Some(1), "byte order mark"),
            ("8:anna.7\n", Some(1), "a line must be"),
            ("8:anna.7 Anna Lindqvist\n", Some(1), "looks like a name"),
            ("8:anna.7 Ærlig Lindqvist\n", Some(1), "looks like a name"),
            ("8:anna.7 anna\n", Some(1), "looks like a name"),
            ("anna.7 secret-1 Anna\n", Some(1), "not a person's"),
            ("19:x@thread.skype secret-1 Team\n", Some(1), "not a person's"),
            ("48:notes secret-1 Me\n", Some(1), "not a person's"),
            ("8: secret-1 Me\n", Some(1), "not a person's"),
            (&format!("{good}8:anna.7 secret-2 Other\n"), Some(2), "twice"),
            (&format!("{good}\n8:joe.4 secret-1 Joe\n"), Some(3), "same token"),
        ] {
            let (at, why) = wrong(text);
            assert!(at == line && why.contains(word), "{text:?}: {at:?} {why}");
        }
    }
}
