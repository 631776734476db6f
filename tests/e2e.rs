//! The generated app, for real: Alchemy, workerd, git and the workflows on loopback; see `e2e/loopback/`.

#![cfg(unix)]

mod support;

#[path = "e2e/act.rs"]
mod act;
#[path = "e2e/adoptable.rs"]
mod adoptable;
#[path = "e2e/adoption.rs"]
mod adoption;
#[path = "e2e/audit.rs"]
mod audit;
#[path = "e2e/deploy.rs"]
mod deploy;
#[path = "e2e/documents.rs"]
mod documents;
#[path = "e2e/environments.rs"]
mod environments;
#[path = "e2e/github.rs"]
mod github;
#[path = "e2e/lab.rs"]
mod lab;
#[path = "e2e/monorepo.rs"]
mod monorepo;
#[path = "e2e/promotion.rs"]
mod promotion;
#[path = "e2e/refusal.rs"]
mod refusal;
#[path = "e2e/release.rs"]
mod release;
#[path = "e2e/rollback.rs"]
mod rollback;
