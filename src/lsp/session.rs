//! The conversation with one client, from `initialize` to `exit`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use lsp_server::{ErrorCode, ExtractError, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, DidChangeWatchedFilesRegistrationOptions,
    DocumentLinkOptions, FileSystemWatcher, GlobPattern, HoverProviderCapability, InitializeResult, LogMessageParams,
    MessageType, PublishDiagnosticsParams, Registration, RegistrationParams, ServerCapabilities, ServerInfo,
    ShowMessageParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::analysis::{Analyst, Changed, Findings, Job, Results};
use super::documents::{Documents, TooLarge};
use super::position::Encoding;
use super::transport::{self, Incoming, Outgoing};
use super::{actions, answer, hover, links, place};
use crate::load::helm::{Binary, Cancel};
use crate::panics;

/// What a change on disk can make a difference to: manifests, kustomizations without an ending, charts' helpers, what generators
/// read, and what is left out.
const WATCHED: &str = "**/{*.yaml,*.yml,*.json,*.tpl,*.env,*.properties,.env,.gitignore,.kvlintignore,Kustomization}";

/// Messages that wait to be read; then the client waits.
const WAITING: usize = 16;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client said `shutdown` before it left.
    Orderly,
    /// It just left.
    Abrupt,
}

/// Why a session ended before its time.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Speaks with a client until it says `exit` or is gone. Charts are rendered with the helm that is named.
///
/// # Errors
/// When what the client says can't be told apart, or it can't be answered.
pub fn serve(
    mut input: impl BufRead + Send + 'static,
    mut output: impl Write + Send + 'static,
    helm: Binary,
) -> Result<End, Failure> {
    let (heard, incoming) = bounded(WAITING);
    let (tell, told) = unbounded();
    // It ends with the client's last message, or with the process.
    std::thread::spawn(move || transport::read_all(&mut input, &heard));
    let writer = std::thread::spawn(move || transport::write_all(&mut output, &told));
    let ended = converse(&incoming, tell, helm);
    // It ends when it has written all.
    let written = writer.join().unwrap_or(Ok(()));
    match written {
        // A client that leaves need not listen any more.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure(format!("can't write: {e}"))),
        _ => ended,
    }
}

fn converse(incoming: &Receiver<io::Result<Incoming>>, tell: Sender<Outgoing>, helm: Binary) -> Result<End, Failure> {
    let Some((id, params)) = first_request(incoming, &tell)? else { return Ok(End::Abrupt) };
    let encoding = Encoding::agreed(&params);
    let result = InitializeResult {
        capabilities: capabilities(encoding),
        server_info: Some(ServerInfo {
            name: answer::SOURCE.to_string(),
            version: Some(env!("CARGO_PKG_VERSION").to_string()),
        }),
    };
    enter_workspace(&params);
    let knows = |what: &str| params.pointer(what).and_then(Value::as_bool).unwrap_or(false);
    let (ask, questions) = unbounded();
    let (reply, answers) = unbounded();
    let cancel = Cancel::default();
    let mut analyst = Analyst::new(encoding, helm, cancel.clone());
    let thread = std::thread::spawn(move || work(|job| analyst.answer(job), &questions, &reply));
    let mut session = Session {
        tell,
        encoding,
        registers: knows("/capabilities/workspace/didChangeWatchedFiles/dynamicRegistration"),
        versions: knows("/capabilities/workspace/workspaceEdit/documentChanges"),
        closing: false,
        documents: Documents::default(),
        findings: Findings::new(),
        published: BTreeMap::new(),
        log: BTreeSet::new(),
        ask,
    };
    session.send(Response::new_ok(id, result).into());
    let ended = session.run(incoming, &answers);
    // The thread ends when nobody can ask it any more, and helm does not keep it.
    cancel.cancel();
    drop(session);
    let _ = thread.join();
    ended
}

/// The client's `initialize`; until then nothing else is answered. None where it leaves.
fn first_request(
    incoming: &Receiver<io::Result<Incoming>>,
    tell: &Sender<Outgoing>,
) -> Result<Option<(RequestId, Value)>, Failure> {
    for heard in incoming {
        let answer = match understood(heard)? {
            Incoming::Message(Message::Request(request)) if request.method == request::Initialize::METHOD => {
                return Ok(Some((request.id, request.params)));
            }
            Incoming::Message(Message::Request(request)) => {
                let message = format!("`{}` comes before `initialize`", request.method);
                let code = ErrorCode::ServerNotInitialized as i32;
                Outgoing::Message(Response::new_err(request.id, code, message).into())
            }
            Incoming::Message(message) if transport::is_exit(&message) => return Ok(None),
            Incoming::Message(_) => continue,
            Incoming::Nonsense(answer) => answer,
        };
        // Whether the client is still there shows when the next message is read.
        let _ = tell.send(answer);
    }
    Ok(None)
}

fn understood(heard: io::Result<Incoming>) -> Result<Incoming, Failure> {
    heard.map_err(|e| Failure(format!("the client broke the protocol: {e}")))
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

/// Paths are shown from the folder that the client works in, and without a repository nothing above it is looked at. A folder on
/// no disk is passed over.
fn enter_workspace(initialize: &Value) {
    let folders = initialize.get("workspaceFolders").and_then(Value::as_array).into_iter().flatten();
    let uris = folders.filter_map(|folder| folder.get("uri")).chain(initialize.get("rootUri"));
    let mut paths = uris.filter_map(|uri| place::path(&uri.as_str()?.parse().ok()?));
    if let Some(folder) = paths.find(|path| path.is_dir()) {
        // Without it, paths are longer than they need be.
        let _ = std::env::set_current_dir(folder);
    }
}

/// The thread that lints. Questions that waited while it worked are one. A panic ends no more than one answer: its text is given
/// instead.
fn work(mut answer: impl FnMut(&Job) -> Results, questions: &Receiver<Job>, reply: &Sender<Result<Results, String>>) {
    while let Ok(mut job) = questions.recv() {
        while let Ok(later) = questions.try_recv() {
            job = Job { documents: later.documents, changed: job.changed.join(later.changed) };
        }
        let answer = panics::guarded(|| answer(&job)).map_err(internal);
        if reply.send(answer).is_err() {
            return;
        }
    }
}
fn internal(panic: String) -> String {
    format!("internal error: {panic}")
}

struct Session {
    tell: Sender<Outgoing>,
    encoding: Encoding,
    /// Whether the client says when files change behind its back, if it is asked to.
    registers: bool,
    /// Whether the client takes edits with the count of changes that they are made for.
    versions: bool,
    /// Whether the client said `shutdown`.
    closing: bool,
    documents: Documents,
    findings: Findings,
    /// Files that the client shows findings of, with the count of changes that these belong to.
    published: BTreeMap<String, Option<i32>>,
    /// What the client's log was told, so that it is told once.
    log: BTreeSet<String>,
    ask: Sender<Job>,
}

impl Session {
    fn run(
        &mut self,
        incoming: &Receiver<io::Result<Incoming>>,
        answers: &Receiver<Result<Results, String>>,
    ) -> Result<End, Failure> {
        loop {
            select! {
                recv(incoming) -> heard => {
                    let message = match heard.ok().map(understood).transpose()? {
                        Some(Incoming::Message(message)) if !transport::is_exit(&message) => message,
                        Some(Incoming::Nonsense(answer)) => {
                            let _ = self.tell.send(answer);
                            continue;
                        }
                        _ => return Ok(if self.closing { End::Orderly } else { End::Abrupt }),
                    };
                    match message {
                        Message::Request(request) => {
                            let response = self.answer_to(request);
                            self.send(response.into());
                        }
                        Message::Notification(notice) if !self.closing => self.notice(notice),
                        // Nothing that we ask for has an answer that matters.
                        Message::Notification(_) | Message::Response(_) => {}
                    }
                },
                recv(answers) -> results => match results {
                    Ok(Ok(results)) => self.publish(results),
                    Ok(Err(panic)) => self.log(&panic, MessageType::ERROR),
                    Err(_) => return Err(Failure(format!("the thread that lints is gone: {}", panics::latest()))),
                },
            }
        }
    }

    /// Whatever goes wrong with one request, the next is answered.
    fn answer_to(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        if self.closing {
            let message = format!("`{}` comes after `shutdown`", request.method);
            return Response::new_err(id, ErrorCode::InvalidRequest as i32, message);
        }
        if request.method == request::Shutdown::METHOD {
            self.closing = true;
            return Response::new_ok(id, Value::Null);
        }
        panics::guarded(|| self.answer(request))
            .unwrap_or_else(|panic| Response::new_err(id, ErrorCode::InternalError as i32, internal(panic)))
    }

    fn send(&self, message: Message) {
        // Whether the client is still there shows when the next message is read.
        let _ = self.tell.send(Outgoing::Message(message));
    }

    fn log(&mut self, line: &str, typ: MessageType) {
        if self.log.insert(line.to_string()) {
            let message = crate::display::visible::lines(line);
            self.tell::<notification::LogMessage>(LogMessageParams { typ, message });
        }
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
                    Some(actions::actions(&session.findings, &params, session.versions))
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
            notification::Initialized::METHOD => {
                if self.registers {
                    self.watch();
                }
                return;
            }
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
        let message = crate::display::visible::lines(&format!("{}: {too_large}", uri.as_str()));
        self.tell::<notification::ShowMessage>(ShowMessageParams { typ: MessageType::ERROR, message });
        Changed::All
    }

    /// A change to one open text. A configuration decides over others, and what is not on disk yet may be missed by any.
    fn file(&self, uri: &Uri) -> Changed {
        match self.documents.get(uri).and_then(|d| d.path.clone()) {
            Some(path) if crate::load::discover::is_config(&path) || !path.is_file() => Changed::All,
            Some(path) => Changed::Some(BTreeSet::from([path])),
            None => Changed::Some(BTreeSet::from([PathBuf::from(uri.as_str())])),
        }
    }

    /// Gives the client the findings of each file, and takes back those of files that have none any more.
    fn publish(&mut self, results: Results) {
        for line in &results.log {
            self.log(line, MessageType::WARNING);
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
        let names =
            ["a/b.yaml", "kvlint.yaml", "x/Kustomization", "c/templates/_helpers.tpl", "d.json", "e/.gitignore"];
        assert!(names.iter().all(|name| glob.is_match(name)));
        assert!(!glob.is_match("main.rs"));
    }

    #[test]
    fn a_panic_ends_one_answer_and_not_the_thread() {
        let (ask, questions) = unbounded();
        let (reply, answers) = unbounded();
        let mut asked = 0;
        let answer = move |_: &Job| {
            asked += 1;
            assert!(asked > 1, "an invariant is broken");
            Results { findings: Findings::new(), versions: Default::default(), log: Vec::new() }
        };
        let thread = std::thread::spawn(move || work(answer, &questions, &reply));
        let job = || Job { documents: Documents::default(), changed: Changed::All };
        ask.send(job()).unwrap();
        assert!(answers.recv().unwrap().unwrap_err().contains("an invariant is broken"));
        ask.send(job()).unwrap();
        assert!(answers.recv().unwrap().is_ok());
        drop(ask);
        thread.join().unwrap();
    }
}
