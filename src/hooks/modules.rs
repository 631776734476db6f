//! `import`: modules of the template's tree, and none of the disk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope};

use super::engine::MAX_SCRIPT;
use super::{State, lock, view};

/// How many modules may be read, and so how deep they may import each other.
const MAX_IMPORTS: usize = 16;

/// Finds modules in the tree.
pub(super) struct Modules {
    // The engine belongs to no longer time than the state.
    state: Weak<std::sync::Mutex<State>>,
    imported: AtomicUsize,
}

impl Modules {
    pub(super) fn new(state: &super::Shared) -> Self {
        Self { state: Arc::downgrade(state), imported: AtomicUsize::new(0) }
    }

    fn text(&self, name: &str) -> Option<(String, String)> {
        let state = self.state.upgrade()?;
        let path = view::path(&format!("{name}.rhai")).ok().flatten()?;
        let state = lock(&state);
        // What a script reads, it can show.
        if state.secret_files.contains_key(&path) {
            return None;
        }
        let bytes = state.view.read(&path).filter(|bytes| bytes.len() <= MAX_SCRIPT)?;
        Some((path.as_str().to_owned(), std::str::from_utf8(bytes).ok()?.to_owned()))
    }
}

impl ModuleResolver for Modules {
    fn resolve(
        &self,
        engine: &Engine,
        _: Option<&str>,
        name: &str,
        position: Position,
    ) -> Result<Arc<Module>, Box<EvalAltResult>> {
        if self.imported.fetch_add(1, Ordering::Relaxed) >= MAX_IMPORTS {
            return Err(EvalAltResult::ErrorTooManyModules(position).into());
        }
        let missing = || EvalAltResult::ErrorModuleNotFound(name.to_owned(), position);
        let (path, text) = self.text(name).ok_or_else(missing)?;
        let in_module = |error| Box::new(EvalAltResult::ErrorInModule(path.clone(), error, position));
        let mut ast = engine.compile(&text).map_err(|error| in_module(error.into()))?;
        ast.set_source(&path);
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Arc::new).map_err(in_module)
    }
}
