//! The sign-in service of an emulated service: device codes, tokens, and the page on which a code is confirmed.

use super::super::api_error::ApiError;
use super::super::emulation::{CodeState, Emulation, TokenRequest};
use super::super::state::GatewayState;
use super::JsonText;
use super::body::RawBody;
use crate::gateway::access::Origin;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

type Form = HashMap<String, String>;

fn form(body: &[u8]) -> Form {
    let text = String::from_utf8_lossy(body).replace('+', " ");
    let decode =
        |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn take(form: &Form, name: &str) -> String {
    form.get(name).cloned().unwrap_or_default()
}

fn emulation(gateway: &GatewayState) -> Result<&Emulation, ApiError> {
    gateway.emulation().ok_or(ApiError::not_found("The resource URL is misformatted."))
}

/// A refusal in the form of the sign-in service.
fn refused((error, number): (&'static str, u32)) -> Response {
    let codes = if number == 0 { json!([]) } else { json!([number]) };
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{number}: {error} (emulation). Trace ID: 0"),
        "error_codes": codes,
        "trace_id": "0",
        "correlation_id": "0",
    });
    (StatusCode::BAD_REQUEST, JsonText(body.to_string())).into_response()
}

/// A device code by the newer form.
pub async fn device_code(
    State(gateway): State<Arc<GatewayState>>,
    Extension(caller): Extension<Origin>,
    Path(tenant): Path<String>,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let emulation = emulation(&gateway)?;
    let page = link(&gateway, &caller);
    let form = form(&body);
    let scope = take(&form, "scope");
    Ok(given_out(
        emulation,
        &tenant,
        &form,
        Some(&scope),
        |life, interval| json!({ "verification_uri": page, "expires_in": life, "interval": interval }),
    ))
}

/// A device code by the older form, with numbers as strings and another name for the address (facts 8.1).
pub async fn older_device_code(
    State(gateway): State<Arc<GatewayState>>,
    Extension(caller): Extension<Origin>,
    Path(tenant): Path<String>,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let emulation = emulation(&gateway)?;
    let page = link(&gateway, &caller);
    Ok(given_out(emulation, &tenant, &form(&body), None, |life, interval| {
        json!({
            "verification_url": page,
            "expires_in": life.to_string(),
            "interval": interval.to_string(),
        })
    }))
}

/// The page on which codes are confirmed.
fn link(gateway: &GatewayState, caller: &Origin) -> String {
    format!("{}/link", gateway.access.links(caller))
}

/// Gives out a code. The fields in which the two forms differ come from `fields`, which is given the lifetime of the
/// code and the interval in seconds.
fn given_out(
    emulation: &Emulation,
    tenant: &str,
    form: &Form,
    scope: Option<&str>,
    fields: impl FnOnce(u64, u64) -> Value,
) -> Response {
    let code = match emulation.authority.begin(tenant, &take(form, "client_id"), scope) {
        Err(refusal) => return refused(refusal),
        Ok(code) => code,
    };
    let mut answer = fields(emulation.options.code_life.as_secs(), emulation.options.interval);
    if let Value::Object(answer) = &mut answer {
        let message = "To sign in, open the page and enter the code.";
        answer.insert("user_code".to_owned(), code.user_code.into());
        answer.insert("device_code".to_owned(), code.device_code.into());
        answer.insert("message".to_owned(), message.into());
    }
    JsonText(answer.to_string()).into_response()
}

/// Tokens for a device code or a refresh token, in both forms.
pub async fn token(
    State(gateway): State<Arc<GatewayState>>,
    Path(tenant): Path<String>,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let emulation = emulation(&gateway)?;
    let form = form(&body);
    let client = take(&form, "client_id");
    let request = match take(&form, "grant_type").as_str() {
        "refresh_token" => TokenRequest::Refresh {
            client,
            token: take(&form, "refresh_token"),
            scope: take(&form, "scope"),
        },
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            let code = form.get("device_code").or_else(|| form.get("code")).cloned();
            TokenRequest::DeviceCode { client, code: code.unwrap_or_default() }
        }
        _ => return Ok(refused(("unsupported_grant_type", 70_003))),
    };
    Ok(match emulation.authority.buy(&tenant, &request) {
        Err(refusal) => refused(refusal),
        Ok(bought) => {
            let answer = json!({
                "token_type": "Bearer",
                "scope": bought.scope,
                "expires_in": bought.life.as_secs(),
                "access_token": bought.access,
                "refresh_token": bought.refresh,
            });
            JsonText(answer.to_string()).into_response()
        }
    })
}

const PAGE: &str = "<!doctype html><title>Sign in</title><h1>Confirm a device code</h1>\
<p>This gateway emulates the sign-in of another service. Enter the code that skchat shows, and your token of this gateway.</p>\
<form method=post><p><label>Code <input name=code></label>\
<p><label>Token <input name=token type=password></label>\
<p><button name=do value=approve>Confirm</button> <button name=do value=decline>Decline</button></form>";

/// The page on which a code is confirmed.
pub async fn page(
    State(gateway): State<Arc<GatewayState>>,
) -> Result<Html<&'static str>, ApiError> {
    emulation(&gateway)?;
    Ok(Html(PAGE))
}

/// Confirms or declines a code for the owner of a token of this gateway.
pub async fn confirm(
    State(gateway): State<Arc<GatewayState>>,
    RawBody(body): RawBody,
) -> Result<Html<&'static str>, ApiError> {
    let emulation = emulation(&gateway)?;
    let form = form(&body);
    let user = gateway.directory().user_of(&take(&form, "token")).ok_or(ApiError::unauthorized())?;
    let decision = match take(&form, "do").as_str() {
        "decline" => CodeState::Declined,
        _ => CodeState::Approved(user),
    };
    if emulation.authority.decide(&take(&form, "code"), &decision) {
        Ok(Html("<!doctype html><title>Done</title><p>Done. You can close this page."))
    } else {
        Err(ApiError::not_found("There is no such code."))
    }
}
