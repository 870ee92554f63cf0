//! The report of an execution, as a file.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use steps::report::Report;

use super::{extract::PageQuery, layout::refusal};
use crate::{app::App, error::Refused, visit::Visit};

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Text,
    #[default]
    Json,
    Markdown,
    Html,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    id: String,
    #[serde(default)]
    format: Format,
}

pub(crate) async fn report(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    match of(&app, &asked.id).await {
        Ok(report) => asked.format.file(&report, &asked.id),
        Err(why) => refusal(&app, &visit, &why),
    }
}

/// The report of an execution. It has no saved values.
pub(crate) async fn of(app: &App, id: &str) -> Result<Report, Refused> {
    Ok(app.engine.get(id).await?.report().await?)
}

impl Format {
    /// Returns it as a file to be saved: a browser shows none of it as a page of this site.
    pub(crate) fn file(self, report: &Report, id: &str) -> Response {
        let (text, kind, ending) = match self {
            Self::Text => (
                report.text().to_string(),
                "text/plain; charset=utf-8",
                "txt",
            ),
            Self::Json => (report.json().to_string(), "application/json", "json"),
            Self::Markdown => (
                report.markdown().to_string(),
                "text/markdown; charset=utf-8",
                "md",
            ),
            Self::Html => (
                report.html().to_string(),
                "text/html; charset=utf-8",
                "html",
            ),
        };
        let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        let name: String = id.chars().filter(plain).take(64).collect();
        let mut response = text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let disposition = format!("attachment; filename=\"report-{name}.{ending}\"");
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        response
    }
}
