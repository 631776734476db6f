//! The internet on this machine, and apps that live in it.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use fs_err as fs;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{bun, command, create, link_packages, path, temporary};
use crate::support::process::{Finished, run};
use crate::support::tools::{bun as bun_itself, scripts};

/// The account that owns example.com, and its token.
pub(crate) const ACME: (&str, &str) = ("11111111111111111111111111111111", "token-of-acme");
/// The account that owns example.org.
pub(crate) const OTHER: (&str, &str) = ("22222222222222222222222222222222", "token-of-acme-staging");

/// Cloudflare and GitHub on loopback, in a process of their own. Whatever else an app asks for fails the test.
pub(crate) struct Lab {
    child: Child,
    line: RefCell<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    proxy: String,
    authority: String,
    folder: TempDir,
}

impl Lab {
    pub(crate) fn start() -> Self {
        let folder = temporary();
        let mut command = Command::new(bun_itself());
        command.arg(scripts("e2e").join("loopback/main.ts")).arg(folder.path().join("internet"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("bun starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let line = RefCell::new(Some((stdin, stdout)));
        let mut lab = Self { child, line, proxy: String::new(), authority: String::new(), folder };
        let hello = lab.hear();
        lab.proxy = hello["proxy"].as_str().expect("an address").to_owned();
        lab.authority = hello["authority"].as_str().expect("a path").to_owned();
        lab
    }

    /// Gives a command, and waits for its answer.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Value) -> Value {
        if let Some((stdin, _)) = self.line.borrow_mut().as_mut() {
            writeln!(stdin, "{request}").expect("the loopback listens");
        }
        let mut answer = self.hear();
        assert!(answer["error"].is_null(), "{request}: {answer}");
        answer["value"].take()
    }

    fn hear(&self) -> Value {
        let mut text = String::new();
        if let Some((_, stdout)) = self.line.borrow_mut().as_mut() {
            stdout.read_line(&mut text).expect("UTF-8");
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// What exists on Cloudflare.
    pub(crate) fn state(&self) -> Value {
        self.ask(&json!({"do": "state"}))
    }

    /// The calls of Cloudflare's API since the last look, of these methods.
    pub(crate) fn calls(&self, methods: &[&str]) -> Vec<String> {
        let calls = self.ask(&json!({"do": "calls"}));
        let calls = calls.as_array().expect("a list").iter().map(|call| call.as_str().expect("text").to_owned());
        calls.filter(|call| methods.iter().any(|method| call.starts_with(method))).collect()
    }

    /// The calls since the last look that changed something.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.calls(&["POST", "PUT", "PATCH", "DELETE"])
    }

    pub(crate) fn worker(&self, name: &str) -> Value {
        self.state()["workers"][name].take()
    }

    /// The commits of a Worker's live deployment with their shares, as in "abc 100 + def 0".
    pub(crate) fn live(&self, worker: &str) -> String {
        shares(&self.worker(worker)["deployments"][0])
    }

    /// The version of a Worker that was built from a commit.
    #[track_caller]
    pub(crate) fn version(&self, worker: &str, commit: &str) -> Value {
        let worker = self.worker(worker);
        let versions = worker["versions"].as_array().expect("a list");
        let found = versions.iter().find(|version| version["commit"] == commit);
        found.unwrap_or_else(|| panic!("no version of {commit}: {worker:#}")).clone()
    }

    /// What a user gets.
    pub(crate) fn visit(&self, url: &str) -> (u64, Value) {
        let answer = self.ask(&json!({"do": "visit", "url": url}));
        let body = answer["body"].as_str().expect("text");
        let body = serde_json::from_str(body).unwrap_or_else(|_| body.into());
        (answer["status"].as_u64().expect("a number"), body)
    }

    /// Users come to an address, until [`Lab::stop_load`] says what they met.
    pub(crate) fn load(&self, url: &str) {
        self.ask(&json!({"do": "load", "url": url}));
    }

    pub(crate) fn stop_load(&self) -> Value {
        self.ask(&json!({"do": "stop-load"}))
    }

    /// A file for the outputs of a step, as GitHub's runner gives one.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets a command see this internet and no other.
    pub(crate) fn connect<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
            command.env(proxy, &self.proxy);
        }
        command.env("NODE_EXTRA_CA_CERTS", &self.authority).env("SSL_CERT_FILE", &self.authority)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let trespasses = if std::thread::panicking() { json!([]) } else { self.ask(&json!({"do": "trespasses"})) };
        // The end of its input ends it, and with it every workerd; the rest is for the worst case.
        drop(self.line.take());
        drop(self.child.wait());
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status());
        assert_eq!(trespasses, json!([]), "nobody but the loopback may be asked, and nothing that it does not know");
    }
}

/// A deployment's commits with their shares.
pub(crate) fn shares(deployment: &Value) -> String {
    let versions = deployment["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let share = |v: &Value| {
        format!("{} {}", v["commit"].as_str().unwrap_or("nothing").get(..12).unwrap_or("?"), v["percentage"])
    };
    versions.iter().map(share).collect::<Vec<_>>().join(" + ")
}

/// A generated app with its packages, committed, and with the variables of its two environments.
pub(crate) struct App<'lab> {
    pub(crate) lab: &'lab Lab,
    pub(crate) dir: PathBuf,
    /// The commits, oldest first.
    pub(crate) commits: Vec<String>,
}

impl<'lab> App<'lab> {
    /// An app on example.com, whose environments share an account.
    pub(crate) fn on_one_account(lab: &'lab Lab, name: &str, answers: &[&str]) -> Self {
        let answers = [&["domain=example.com"], answers].concat();
        let mut app = Self::create(lab, name, &answers);
        for domain in ["staging.example.com", "example.com"] {
            let line = format!("      domain: \"{domain}\",\n");
            app.edit("alchemy.config.ts", &line, &format!("{line}      account: \"{}\",\n", ACME.0));
        }
        app.variables("staging", ACME.1);
        app.variables("prod", ACME.1);
        app.commit("Say where it runs");
        app
    }

    /// An app whose staging has its own account and domain.
    pub(crate) fn on_two_accounts(lab: &'lab Lab, name: &str, answers: &[&str]) -> Self {
        let answers = [&["domain=example.com"], answers].concat();
        let mut app = Self::create(lab, name, &answers);
        for (old, domain, account) in
            [("staging.example.com", "staging.example.org", OTHER.0), ("example.com", "example.com", ACME.0)]
        {
            let new = format!("      domain: \"{domain}\",\n      account: \"{account}\",\n");
            app.edit("alchemy.config.ts", &format!("      domain: \"{old}\",\n"), &new);
        }
        app.variables("staging", OTHER.1);
        app.variables("prod", ACME.1);
        app.commit("Say where it runs");
        app
    }

    /// An app in a folder of the lab's one repository of several apps.
    pub(crate) fn in_repository_of_several(lab: &'lab Lab, path: &str, domain: &str, answers: &[&str]) -> Self {
        let repository = lab.folder.path().join("repository");
        if !repository.exists() {
            fs::create_dir(&repository).expect("writable");
            run(command("git", &repository).args(["init", "--quiet"])).succeeds();
        }
        let domain_answer = format!("domain={domain}");
        let dir = create(&repository, path, &[&[domain_answer.as_str()], answers].concat());
        link_packages(&dir);
        let mut app = Self { lab, dir, commits: Vec::new() };
        for domain in [format!("staging.{domain}"), domain.to_owned()] {
            let line = format!("      domain: \"{domain}\",\n");
            app.edit("alchemy.config.ts", &line, &format!("{line}      account: \"{}\",\n", ACME.0));
        }
        app.variables("staging", ACME.1);
        app.variables("prod", ACME.1);
        app.commit(&format!("Add {path}"));
        app
    }

    fn create(lab: &'lab Lab, name: &str, answers: &[&str]) -> Self {
        let dir = create(lab.folder.path(), name, answers);
        link_packages(&dir);
        let mut app = Self { lab, dir, commits: Vec::new() };
        app.commit("Start");
        app
    }

    /// Writes what an environment's owner keeps on their machine.
    pub(crate) fn variables(&self, environment: &str, token: &str) {
        let text = format!("CLOUDFLARE_API_TOKEN={token}\nALCHEMY_STATE_TOKEN=state-of-{environment}\n");
        fs::write(self.dir.join(format!(".env.{environment}")), text).expect("writable");
    }

    /// Replaces a text that is in a file.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(old), "{file} has no {old:?}:\n{text}");
        fs::write(path, text.replacen(old, new, 1)).expect("writable");
    }

    /// Commits everything, and returns the commit.
    #[track_caller]
    pub(crate) fn commit(&mut self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        let commit = self.git(&["rev-parse", "HEAD"]);
        self.commits.push(commit.clone());
        commit
    }

    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        run(command("git", &self.dir).args(args)).succeeds().trim().to_owned()
    }

    /// The `alchemy` of the app, found as a workflow finds it.
    pub(crate) fn alchemy(&self, args: &[&str]) -> Command {
        let mut alchemy = command("alchemy", &self.dir);
        alchemy.args(args).env("PATH", path(&[self.dir.join("node_modules/.bin")]));
        self.lab.connect(&mut alchemy);
        alchemy
    }

    /// A script of the app's package.json.
    pub(crate) fn bun_run(&self, args: &[&str]) -> Command {
        let mut command = bun(&self.dir);
        command.arg("run").args(args);
        self.lab.connect(&mut command);
        command
    }

    /// Deploys, verifies, and goes back if that fails; from a laptop, whose owner insists.
    pub(crate) fn release(&self, environment: &str) -> Finished {
        run(&mut self.bun_run(&["release", environment, "--force"]))
    }

    /// The one command.
    pub(crate) fn rollback(&self, args: &[&str]) -> Finished {
        let mut command = command(self.dir.join("scripts/rollback.sh"), &self.dir);
        run(self.lab.connect(command.args(args)))
    }
}

/// The first 12 digits, as people meet a commit.
pub(crate) fn short(commit: &str) -> &str {
    &commit[..12]
}
