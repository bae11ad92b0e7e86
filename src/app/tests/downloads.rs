//! Pictures and files stored by the service: requesting, downloading and opening them.

use crate::app::Effect;
use crate::fixture::{App, direct, message};
use crate::model::{
    Delta, DownloadProgress, ExportedFile, Fault, FaultKind, Link, Media, MediaKind, Message,
    MessageBody, ObjectHosts, Placement, Request, Response, RichText, SafeText, Span, Ticket,
};

const OBJECT: &str = "https://eu.objects.example/v1/objects/0-weu-d1-ab";

/// An app whose account can fetch files of the service, with these messages.
fn with(messages: Vec<Message>) -> App {
    let mut app = direct("joe").sized(100, 30).opened();
    let suffixes = vec![".objects.example".to_owned()];
    app.delta(Delta::ObjectHosts(ObjectHosts { origin: String::new(), suffixes }));
    app.messages(messages, Placement::Newest);
    app.requests();
    app
}

fn picture(object: &str) -> Message {
    let media = Media {
        kind: MediaKind::Image,
        name: SafeText::line("bread.jpg"),
        bytes: Some(1_234_567),
        seconds: None,
        link: Some("https://login.example/sso?docid=0-weu-d1-ab".into()),
        object: Some(object.into()),
        exported: ExportedFile::Unknown,
    };
    message("joe", 1, MessageBody::Media(media))
}

/// The ticket of the requested download, and its address.
fn asked(app: &mut App) -> (Ticket, SafeText) {
    let mut requests = app.requests();
    match requests.pop() {
        Some(Request::Download { file, ticket, .. }) => (ticket, file.url),
        other => panic!("{other:?}"),
    }
}

/// Whether a download was requested.
fn asks(app: &mut App) -> bool {
    app.requests().iter().any(|request| matches!(request, Request::Download { .. }))
}

fn opened(app: &mut App) -> Vec<SafeText> {
    let opened = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::OpenUrl(path) => Some(path),
        _ => None,
    });
    opened.collect()
}

#[test]
fn a_picture_of_the_service_is_downloaded_after_a_question_and_opened() {
    let mut app = with(vec![picture(OBJECT)]);
    app.press("ctrl-up o");
    app.expect("Download this file and open it?");
    app.expect("[image] bread.jpg · 1.2 MB");
    app.expect("From eu.objects.example.");
    assert!(!asks(&mut app), "nothing is fetched before the answer");
    app.press("enter");
    app.expect("Asking for the file…");
    let (ticket, url) = asked(&mut app);
    assert_eq!(url.as_str(), OBJECT);
    let progress = DownloadProgress { received: 500_000, size: Some(1_234_567) };
    app.delta(Delta::Download { ticket, progress });
    app.expect("500.0 kB of 1.2 MB");
    let path = SafeText::line("/tmp/skchat-1/0-weu-d1-ab.jpeg");
    app.delta(Delta::Response { ticket, response: Response::FileCopy(Ok(path.clone())) });
    app.expect_none("Downloading");
    assert_eq!(opened(&mut app), [path]);
}

#[test]
fn esc_stops_a_download_and_what_arrives_later_opens_nothing() {
    let mut app = with(vec![picture(OBJECT)]);
    app.press("ctrl-up o enter");
    let (ticket, _) = asked(&mut app);
    app.press("esc");
    app.expect("The download was stopped");
    app.expect_none("Downloading");
    assert_eq!(app.requests(), [Request::CancelDownload { ticket }]);
    let late = Response::FileCopy(Ok("/tmp/skchat-1/x.png".into()));
    app.delta(Delta::Response { ticket, response: late });
    let progress = DownloadProgress { received: 1, size: None };
    app.delta(Delta::Download { ticket, progress });
    app.expect_none("Downloading");
    assert_eq!(opened(&mut app), Vec::<SafeText>::new());
}

#[test]
fn a_download_that_fails_says_why() {
    let mut app = with(vec![picture(OBJECT)]);
    app.press("ctrl-up o enter");
    let (ticket, _) = asked(&mut app);
    let fault = Fault::new(FaultKind::NotFound, "the service does not have this file any more");
    app.delta(Delta::Response { ticket, response: Response::FileCopy(Err(fault)) });
    app.expect("Not opened: the service does not have this file any more");
    app.expect_none("Downloading");
}

#[test]
fn a_file_elsewhere_is_left_to_the_browser() {
    let mut app = with(vec![picture("https://evil.example/v1/objects/0-weu-d1-ab")]);
    app.press("ctrl-up o");
    app.expect("Open this address?");
    app.expect("https://login.example/sso");
    app.press("enter");
    assert!(!asks(&mut app));
}

#[test]
fn a_picture_within_a_formatted_text_is_downloaded_too() {
    let link = |url: &str| Span {
        text: "[image]".into(),
        link: Some(Link::Url(url.into())),
        ..Span::default()
    };
    let view = format!("{OBJECT}/views/imgo");
    let rich = RichText::from_spans(vec![link(&view), link("https://example.org/recipe")]);
    let mut app = with(vec![message("joe", 1, MessageBody::Text(rich))]);
    app.press("ctrl-up o");
    app.expect("Links and files");
    app.press("2");
    app.expect("Open this address?");
    app.press("esc");
    app.press("o 1");
    app.expect("Download this file and open it?");
    app.press("y");
    assert_eq!(asked(&mut app).1.as_str(), view);
}
