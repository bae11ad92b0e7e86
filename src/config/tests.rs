use super::*;
use crate::model::KeyPreset;

const ACCOUNT: &str = "[accounts.home]\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:8080/v1\"\ntoken = { env = \"T\" }\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("config.toml"))
}

#[test]
fn the_example_reads_without_warnings() {
    let config = parse(include_str!("../../config.example.toml")).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.account(None).unwrap().unwrap().0, "home");
}

#[test]
fn every_preference_stands_in_the_example() {
    let example: toml::Table = include_str!("../../config.example.toml").parse().unwrap();
    let all = serde_json::to_value(crate::model::Preferences::default()).unwrap();
    for (section, keys) in all.as_object().unwrap() {
        for key in keys.as_object().unwrap().keys() {
            let explained = example.get(section).and_then(|table| table.get(key));
            assert!(explained.is_some(), "[{section}] {key} is missing");
        }
    }
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    let config = parse(&format!("{ACCOUNT}gatway = 1\n[ui]\ntypng = true\n")).unwrap();
    assert_eq!(
        config.warnings,
        [
            "config.toml:5: unknown key \"accounts.home.gatway\"; did you mean \"gateway\"?",
            "config.toml:7: unknown key \"ui.typng\"; did you mean \"typing\"?"
        ]
    );
}

#[test]
fn mistakes_name_file_and_line() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert!(error("x = ").starts_with("config.toml:1: "));
    assert_eq!(
        error(&format!("{ACCOUNT}poll = \"ofter\"")),
        "config.toml:5: \"ofter\" is not one of \"auto\", \"long\", \"interval\""
    );
    assert_eq!(
        error("[ui]\nenter = \"sned\""),
        "config.toml:2: \"sned\" is not one of \"send\" or \"newline\"; did you mean \"send\"?"
    );
    assert_eq!(
        error("[accounts.a]\nuser_id = \"anna\"\ngateway = \"x\"\ntoken = { env = \"T\" }"),
        "config.toml:2: user_id \"anna\" lacks its prefix, such as 8:"
    );
    assert!(
        error("[accounts.a]\nuser_id = \"8:a\"\ngateway = \"x\"\ntoken = {}")
            .starts_with("config.toml:4: token must be")
    );
    assert_eq!(error("default_account = \"x\""), "config.toml:1: there is no account \"x\"");
    assert_eq!(
        error("[keys]\nsend = [\"ctrl-i\"]"),
        "config.toml:2: a terminal cannot tell \"ctrl-i\" from another key"
    );
    let config = parse("[keys]\nsned = [\"f2\"]\n[sending]\ngrace_seconds = 4").unwrap();
    assert_eq!(config.preferences.sending.grace_seconds, 4);
    assert!(parse("[sending]\ngrace_seconds = 61").unwrap_err().to_string().contains(":2: "));
    assert_eq!(
        config.warnings,
        ["config.toml:2: there is no action \"sned\"; did you mean \"send\"?"]
    );
}

#[test]
fn an_account_of_a_service_needs_no_address_and_no_token() {
    let config = parse(
        "[accounts.me]\nservice = \"teams-free\"\n[services.teams-free.bases]\nchat = \"https://chat.example\"",
    );
    let config = config.unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.accounts["me"].service.as_deref(), Some("teams-free"));
    assert!(config.services.contains_key("teams-free"));
}

#[test]
fn keys_can_be_changed_and_taken_away() {
    let config = parse("[keys]\nquit = [\"f10\"]\nhelp = []\n").unwrap();
    assert_eq!(config.keymap.entry("quit").unwrap().key(), "F10");
    assert_eq!(config.keymap.entry("help").unwrap().key(), "");
    // A built-in key gives way, and two of the user's own do not.
    assert_eq!(config.keymap.entry("preferences").unwrap().key(), "Ctrl-X ,");
    let twice = parse("[keys]\nquit = [\"f10\"]\nhelp = [\"f10\"]\n");
    assert!(twice.unwrap_err().to_string().contains("\"F10\" is bound twice"));
}

#[test]
fn a_preset_changes_the_keys_that_the_user_has_not_bound() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    let config = parse("[keys]\npreset = \"readline\"\nyank = [\"f12\"]\n").unwrap();
    assert_eq!(config.preferences.keys.preset, KeyPreset::Readline);
    assert_eq!(config.keymap.entry("kill-to-end").unwrap().key(), "Ctrl-K");
    assert_eq!(config.keymap.entry("yank").unwrap().key(), "F12");
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(
        error("[keys]\npreset = \"vi\""),
        "config.toml:2: \"vi\" is not one of \"default\", \"readline\", \"vim\", \"emacs\"; did you mean \"vim\"?"
    );
    assert!(error("[keys]\npreset = [\"vim\"]").starts_with("config.toml:2: "));
    let config = parse("[keys]\npresett = [\"f12\"]").unwrap();
    assert!(config.warnings[0].contains("did you mean \"preset\"?"), "{:?}", config.warnings);
}

#[test]
fn an_action_that_lost_its_last_key_to_another_is_reported_at_the_line_of_the_other() {
    let text = "[keys]\n# Mine.\nundo = [\"ctrl-q\"]\nredraw = [\"ctrl-q\"]";
    let config = parse(text).unwrap();
    let warning = "config.toml:4: Ctrl-Q is now \"redraw\", so \"quit\" has no key; set quit = [] if it needs none";
    assert_eq!(config.warnings, [warning]);
    assert!(parse(&format!("{text}\nquit = []")).unwrap().warnings.is_empty());
    assert!(parse("[keys]\nredraw = [\"ctrl-t\"]").unwrap().warnings.is_empty(), "find has Ctrl-K");
}

#[test]
fn enter_as_a_new_line_swaps_its_keys_with_sending() {
    let config = parse("[ui]\nenter = \"newline\"\n").unwrap();
    assert_eq!(config.keymap.entry("send").unwrap().key(), "Alt-Enter");
    assert_eq!(config.keymap.entry("newline").unwrap().key(), "Enter");
    let config = parse("[ui]\nenter = \"newline\"\n[keys]\nsend = [\"f12\"]\n").unwrap();
    assert_eq!(config.keymap.entry("send").unwrap().key(), "F12");
}

#[test]
fn what_cannot_work_is_refused() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    let account = ACCOUNT.replace("accounts.home", "accounts.\"../up\"");
    assert!(error(&account).contains("cannot be the name of an account"), "{}", error(&account));
    let empty = ACCOUNT.replace("{ env = \"T\" }", "{ command = [] }");
    assert!(error(&empty).contains("the token command is empty"));
    let text = ACCOUNT.replace("{ env = \"T\" }", "\"abc\"");
    assert!(error(&text).contains("must be { env ="), "{}", error(&text));
    assert!(error("[keys]\nswitcher = [\"a\"]").contains("type a letter"));
    let two = format!("{ACCOUNT}{}", ACCOUNT.replace("home", "work"));
    assert!(parse(&two).unwrap().warnings.iter().any(|w| w.contains("several accounts")));
}
