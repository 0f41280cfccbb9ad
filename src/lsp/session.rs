//! The conversation with one client, from `initialize` to `exit`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, select};
use lsp_server::{Connection, ErrorCode, ExtractError, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, DidChangeWatchedFilesRegistrationOptions,
    DocumentLinkOptions, FileSystemWatcher, GlobPattern, HoverProviderCapability, InitializeParams, InitializeResult,
    LogMessageParams, MessageType, PublishDiagnosticsParams, Registration, RegistrationParams, ServerCapabilities,
    ServerInfo, ShowMessageParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde::de::DeserializeOwned;

use super::analysis::{Analyst, Changed, Findings, Job, Results};
use super::documents::{Documents, TooLarge};
use super::position::Encoding;
use super::{actions, answer, hover, links, place};
use crate::panics;

/// What a change on disk can make a difference to: manifests, kustomizations without an ending, and charts' helpers.
const WATCHED: &str = "**/{*.yaml,*.yml,*.json,*.tpl,Kustomization}";

/// Why a session ended before its time.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lsp_server::ProtocolError> for Failure {
    fn from(e: lsp_server::ProtocolError) -> Failure {
        Failure(format!("the client broke the protocol: {e}"))
    }
}

/// Speaks with a client until it says `exit`.
///
/// # Errors
/// When the client breaks the protocol, or leaves without `shutdown`.
pub fn serve(connection: Connection) -> Result<(), Failure> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams =
        serde_json::from_value(params).map_err(|e| Failure(format!("`initialize` can't be read: {e}")))?;
    let encoding = Encoding::agreed(&params.capabilities);
    let result = InitializeResult {
        capabilities: capabilities(encoding),
        server_info: Some(ServerInfo {
            name: answer::SOURCE.to_string(),
            version: Some(env!("CARGO_PKG_VERSION").to_string()),
        }),
    };
    let result = serde_json::to_value(result).map_err(|e| Failure(e.to_string()))?;
    connection.initialize_finish(id, result)?;
    enter_workspace(&params);
    let (ask, questions) = crossbeam_channel::unbounded();
    let (reply, answers) = crossbeam_channel::unbounded();
    let analyst = std::thread::spawn(move || work(Analyst::new(encoding), &questions, &reply));
    let mut session = Session {
        connection,
        encoding,
        documents: Documents::default(),
        findings: Findings::new(),
        published: BTreeMap::new(),
        log: BTreeSet::new(),
        ask,
    };
    if watches(&params) {
        session.watch();
    }
    let ended = session.run(&answers);
    // The thread ends when nobody can ask it any more.
    drop(session);
    let _ = analyst.join();
    ended
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(lsp_types::TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: lsp_types::WorkDoneProgressOptions::default(),
        }),
        ..ServerCapabilities::default()
    }
}

/// Paths are shown from the folder that the client works in, and without a repository nothing above it is looked at.
fn enter_workspace(params: &InitializeParams) {
    #[allow(deprecated, reason = "clients that know no workspace folders send it")]
    let root = params.root_uri.as_ref();
    let first = params.workspace_folders.as_ref().and_then(|folders| folders.first()).map(|f| &f.uri);
    if let Some(folder) = first.or(root).and_then(place::path) {
        // Without it, paths are longer than they need be.
        let _ = std::env::set_current_dir(folder);
    }
}

fn watches(params: &InitializeParams) -> bool {
    let workspace = params.capabilities.workspace.as_ref();
    let watched = workspace.and_then(|w| w.did_change_watched_files.as_ref());
    watched.and_then(|w| w.dynamic_registration).unwrap_or(false)
}

/// The thread that lints. Questions that waited while it worked are one.
fn work(mut analyst: Analyst, questions: &Receiver<Job>, reply: &Sender<Results>) {
    while let Ok(mut job) = questions.recv() {
        while let Ok(later) = questions.try_recv() {
            job = Job { documents: later.documents, changed: job.changed.join(later.changed) };
        }
        if reply.send(analyst.answer(&job)).is_err() {
            return;
        }
    }
}

struct Session {
    connection: Connection,
    encoding: Encoding,
    documents: Documents,
    findings: Findings,
    /// Files that the client shows findings of, with the count of changes that these belong to.
    published: BTreeMap<String, Option<i32>>,
    /// What the client's log was told, so that it is told once.
    log: BTreeSet<String>,
    ask: Sender<Job>,
}

impl Session {
    fn run(&mut self, answers: &Receiver<Results>) -> Result<(), Failure> {
        let messages = self.connection.receiver.clone();
        loop {
            select! {
                recv(messages) -> message => match message {
                    Ok(Message::Request(request)) => {
                        if self.connection.handle_shutdown(&request)? {
                            return Ok(());
                        }
                        let response = self.answer(request);
                        self.send(response.into());
                    }
                    Ok(Message::Notification(notice)) if notice.method == notification::Exit::METHOD => {
                        return Err(Failure("the client left without `shutdown`".into()));
                    }
                    Ok(Message::Notification(notice)) => self.notice(notice),
                    // Nothing that we ask for has an answer that matters.
                    Ok(Message::Response(_)) => {}
                    Err(_) => return Err(Failure("the client is gone".into())),
                },
                recv(answers) -> results => match results {
                    Ok(results) => self.publish(results),
                    Err(_) => return Err(Failure(format!("the thread that lints is gone: {}", panics::latest()))),
                },
            }
        }
    }

    fn send(&self, message: Message) {
        // Whether the client is still there shows when the next message is read.
        let _ = self.connection.sender.send(message);
    }

    fn tell<N: notification::Notification>(&self, params: N::Params) {
        self.send(Notification::new(N::METHOD.to_string(), params).into());
    }

    /// Asks the client to say when files change behind its back.
    fn watch(&self) {
        let watcher = FileSystemWatcher { glob_pattern: GlobPattern::String(WATCHED.to_string()), kind: None };
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: vec![watcher] };
        let registration = Registration {
            id: "files".to_string(),
            method: notification::DidChangeWatchedFiles::METHOD.to_string(),
            register_options: serde_json::to_value(options).ok(),
        };
        let params = RegistrationParams { registrations: vec![registration] };
        let method = request::RegisterCapability::METHOD.to_string();
        self.send(Request::new(RequestId::from("files".to_string()), method, params).into());
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        match request.method.as_str() {
            request::HoverRequest::METHOD => self.reply::<request::HoverRequest>(request, |session, params| {
                let at = params.text_document_position_params;
                let document = session.documents.get(&at.text_document.uri)?;
                hover::hover(document, &session.findings, at.position, session.encoding)
            }),
            request::CodeActionRequest::METHOD => self
                .reply::<request::CodeActionRequest>(request, |session, params| {
                    Some(actions::actions(&session.findings, &params))
                }),
            request::DocumentLinkRequest::METHOD => {
                self.reply::<request::DocumentLinkRequest>(request, |session, params| {
                    let document = session.documents.get(&params.text_document.uri)?;
                    Some(links::links(document, session.encoding))
                })
            }
            method => {
                let message = format!("kvlint does not answer `{method}`");
                Response::new_err(id, ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    fn reply<R: request::Request>(
        &self,
        request: Request,
        answer: impl FnOnce(&Session, R::Params) -> R::Result,
    ) -> Response
    where
        R::Params: DeserializeOwned,
    {
        let id = request.id.clone();
        match request.extract::<R::Params>(R::METHOD) {
            Ok((id, params)) => Response::new_ok(id, answer(self, params)),
            Err(ExtractError::JsonError { error, .. }) => {
                Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string())
            }
            Err(ExtractError::MethodMismatch(_)) => {
                Response::new_err(id, ErrorCode::InternalError as i32, "the request was sorted wrongly".into())
            }
        }
    }

    fn notice(&mut self, notice: Notification) {
        let changed = match notice.method.as_str() {
            notification::DidOpenTextDocument::METHOD => {
                let Some(params) = read::<notification::DidOpenTextDocument>(notice) else { return };
                let opened = params.text_document;
                let uri = opened.uri.clone();
                let taken = self.documents.open(opened.uri, opened.version, opened.text);
                self.taken(&uri, taken)
            }
            notification::DidChangeTextDocument::METHOD => {
                let Some(params) = read::<notification::DidChangeTextDocument>(notice) else { return };
                let (uri, version) = (params.text_document.uri, params.text_document.version);
                let taken = self.documents.change(&uri, version, params.content_changes, self.encoding);
                self.taken(&uri, taken)
            }
            notification::DidCloseTextDocument::METHOD => {
                let Some(params) = read::<notification::DidCloseTextDocument>(notice) else { return };
                let changed = self.file(&params.text_document.uri);
                self.documents.close(&params.text_document.uri);
                changed
            }
            // A file that is new may be part of any unit.
            notification::DidSaveTextDocument::METHOD
            | notification::DidChangeWatchedFiles::METHOD
            | notification::DidChangeConfiguration::METHOD => Changed::All,
            _ => return,
        };
        // It is gone only when the session ends.
        let _ = self.ask.send(Job { documents: self.documents.clone(), changed });
    }

    /// A change to one open text, unless it was refused: whoever edits it is told, and what is on disk counts again.
    fn taken(&self, uri: &Uri, taken: Result<(), TooLarge>) -> Changed {
        let Err(too_large) = taken else { return self.file(uri) };
        let message = crate::report::visible::lines(&format!("{}: {too_large}", uri.as_str()));
        self.tell::<notification::ShowMessage>(ShowMessageParams { typ: MessageType::ERROR, message });
        Changed::All
    }

    /// A change to one open text. One whose name decides over others (a configuration, a kustomization) changes them all.
    fn file(&self, uri: &Uri) -> Changed {
        let path = self.documents.get(uri).and_then(|d| d.path.clone());
        let path = path.unwrap_or_else(|| PathBuf::from(uri.as_str()));
        if crate::load::discover::is_config(&path) { Changed::All } else { Changed::Some(BTreeSet::from([path])) }
    }

    /// Gives the client the findings of each file, and takes back those of files that have none any more.
    fn publish(&mut self, results: Results) {
        for line in &results.log {
            if self.log.insert(line.clone()) {
                let message = crate::report::visible::lines(line);
                self.tell::<notification::LogMessage>(LogMessageParams { typ: MessageType::WARNING, message });
            }
        }
        let gone = self.published.keys().filter(|uri| !results.findings.contains_key(*uri)).cloned();
        let cleared: Vec<String> = gone.collect();
        for uri in cleared {
            self.published.remove(&uri);
            self.show(&uri, Vec::new(), results.versions.get(&uri).copied());
        }
        for (uri, found) in &results.findings {
            let version = results.versions.get(uri).copied();
            let same = self.published.get(uri) == Some(&version) && self.findings.get(uri) == Some(found);
            if !same {
                self.show(uri, found.iter().map(|f| f.diagnostic.clone()).collect(), version);
                self.published.insert(uri.clone(), version);
            }
        }
        // A text without findings is answered, too: the client then knows that it was looked at.
        for (uri, version) in &results.versions {
            if !results.findings.contains_key(uri)
                && self.published.insert(uri.clone(), Some(*version)) != Some(Some(*version))
            {
                self.show(uri, Vec::new(), Some(*version));
            }
        }
        self.findings = results.findings;
    }

    fn show(&self, uri: &str, diagnostics: Vec<lsp_types::Diagnostic>, version: Option<i32>) {
        if let Ok(uri) = uri.parse::<Uri>() {
            self.tell::<notification::PublishDiagnostics>(PublishDiagnosticsParams { uri, diagnostics, version });
        }
    }
}

/// What a notification says; a client that sends nonsense is not answered.
fn read<N: notification::Notification>(notice: Notification) -> Option<N::Params>
where
    N::Params: DeserializeOwned,
{
    notice.extract::<N::Params>(N::METHOD).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_over_a_unit_is_watched() {
        let glob = globset::Glob::new(WATCHED).unwrap().compile_matcher();
        let names = ["a/b.yaml", "kvlint.yaml", "x/Kustomization", "c/templates/_helpers.tpl", "d.json"];
        assert!(names.iter().all(|name| glob.is_match(name)));
        assert!(!glob.is_match("main.rs"));
    }
}
