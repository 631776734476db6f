//! The generated app, for real: Alchemy, workerd, git and the workflows on loopback; see `e2e/loopback/`.

mod act;
mod adoptable;
mod adoption;
mod audit;
mod deploy;
mod documents;
mod environments;
mod faults;
mod github;
mod lab;
mod monorepo;
mod promotion;
mod refusal;
mod release;
mod rollback;
