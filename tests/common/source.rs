//! The source of the crate as a syntax tree: modules, the paths they use, functions and types.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A file of `src`, without its unit tests.
pub struct Source {
    /// Relative to the repository.
    pub path: String,
    /// `["app", "chat", "history"]` for `src/app/chat/history.rs`.
    pub module: Vec<String>,
    pub text: String,
    pub file: syn::File,
}

/// The whole crate.
pub struct Crate {
    pub sources: Vec<Source>,
    /// Names that a module re-exports, and the paths that they refer to.
    exports: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
}

/// A function with a body.
pub struct Function {
    pub name: String,
    pub path: String,
    pub line: usize,
    pub lines: usize,
    /// The deepest nesting of `if`, `match`, loops, closures and `async` blocks.
    pub depth: usize,
}

/// A struct, enum, trait or type alias.
pub struct Type {
    pub name: String,
    pub path: String,
    /// Named fields; 0 for other types.
    pub fields: usize,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder with this extension, in order.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, extension: &str, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, extension, out);
            } else if path.extension().is_some_and(|found| found == extension) {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(&root().join(folder), extension, &mut out);
    out.sort();
    out
}

/// A path as it is written in the repository.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        _ => &[],
    }
}

impl Crate {
    pub fn read() -> Self {
        let mut sources = Vec::new();
        for path in files("src", "rs") {
            let below: Vec<String> = path
                .strip_prefix(root().join("src"))
                .expect("below src")
                .with_extension("")
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            // Unit tests in files of their own.
            if below.iter().any(|part| part == "tests") {
                continue;
            }
            let module = if below == ["lib"] { Vec::new() } else { below };
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut file = syn::parse_file(&text).expect("Rust");
            file.items.retain(|item| !is_test(attributes(item)));
            sources.push(Source { path: relative(&path), module, text, file });
        }
        let mut all = Self { sources, exports: BTreeMap::new() };
        all.exports = all.sources.iter().map(|s| (s.module.clone(), exports(s))).collect();
        all
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.exports.contains_key(path)
    }

    /// The module that a path leads to, through re-exports. `None` for paths out of the crate.
    pub fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let mut module: Vec<String> = Vec::new();
        for (at, name) in path.iter().enumerate() {
            let mut deeper = module.clone();
            deeper.push(name.clone());
            if self.is_module(&deeper) {
                module = deeper;
                continue;
            }
            let exported = self.exports.get(&module).and_then(|exports| exports.get(name));
            // A macro is made known to other modules by a `use` of its own name.
            return match exported.filter(|target| **target != deeper) {
                Some(target) => {
                    let rest = path.iter().skip(at + 1).cloned();
                    let target: Vec<String> = target.iter().cloned().chain(rest).collect();
                    self.resolve(&target)
                }
                None => Some(module),
            };
        }
        Some(module)
    }

    /// The modules of this crate that a source file uses, other than itself.
    pub fn uses(&self, source: &Source) -> BTreeSet<Vec<String>> {
        let mut paths = Paths { module: &source.module, found: Vec::new() };
        paths.visit_file(&source.file);
        let used = paths.found.iter().filter_map(|path| self.resolve(path));
        used.filter(|module| *module != source.module).collect()
    }

    pub fn functions(&self) -> Vec<Function> {
        let mut out = Vec::new();
        for source in &self.sources {
            let mut functions = Functions { path: &source.path, found: Vec::new() };
            functions.visit_file(&source.file);
            out.append(&mut functions.found);
        }
        out
    }

    pub fn types(&self) -> Vec<Type> {
        let mut out = Vec::new();
        for source in &self.sources {
            let mut types = Types { path: &source.path, found: Vec::new() };
            types.visit_file(&source.file);
            out.append(&mut types.found);
        }
        out
    }
}

/// What a `use` brings in: the local name, and its path.
fn flatten(tree: &syn::UseTree, before: &[String], out: &mut Vec<(String, Vec<String>)>) {
    let with = |name: &syn::Ident| {
        let mut path = before.to_vec();
        path.push(name.to_string());
        path
    };
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, &with(&path.ident), out),
        syn::UseTree::Name(name) if name.ident == "self" => {
            out.push((before.last().cloned().unwrap_or_default(), before.to_vec()));
        }
        syn::UseTree::Name(name) => out.push((name.ident.to_string(), with(&name.ident))),
        syn::UseTree::Rename(rename) => {
            let path = if rename.ident == "self" { before.to_vec() } else { with(&rename.ident) };
            out.push((rename.rename.to_string(), path));
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, out);
            }
        }
        syn::UseTree::Glob(_) => out.push(("*".to_owned(), before.to_vec())),
    }
}

/// A path of this crate from its root; `None` for one that leads out of it.
fn from_root(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base: Vec<String> = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module.split_last()?.1.to_vec(),
        _ => return None,
    };
    let mut rest = path.get(1..)?;
    while let Some((first, after)) = rest.split_first()
        && first == "super"
    {
        base.pop();
        rest = after;
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

fn exports(source: &Source) -> BTreeMap<String, Vec<String>> {
    let mut out = BTreeMap::new();
    for item in &source.file.items {
        let syn::Item::Use(item) = item else { continue };
        if matches!(item.vis, syn::Visibility::Inherited) {
            continue;
        }
        let mut found = Vec::new();
        flatten(&item.tree, &[], &mut found);
        for (name, path) in found {
            let child = || [source.module.clone(), path.clone()].concat();
            out.insert(name, from_root(&source.module, &path).unwrap_or_else(child));
        }
    }
    out
}

/// Collects every path of the crate that occurs in a file.
struct Paths<'a> {
    module: &'a [String],
    found: Vec<Vec<String>>,
}

impl Paths<'_> {
    fn add(&mut self, path: &[String]) {
        self.found.extend(from_root(self.module, path));
    }

    /// The arguments of a macro are not parsed: paths are found by their tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut joined = true;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if joined => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.add(&path);
                    path = vec![name.to_string()];
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    joined = true;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.add(&path);
                    path.clear();
                    if group.delimiter() != Delimiter::None {
                        self.add_tokens(group.stream());
                    }
                }
                _ => {
                    self.add(&path);
                    path.clear();
                }
            }
            joined = false;
        }
        self.add(&path);
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        flatten(&item.tree, &[], &mut found);
        for (_, path) in found {
            self.add(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(item.tokens.clone());
    }
}

struct Functions<'a> {
    path: &'a str,
    found: Vec<Function>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        let mut depth = Depth::default();
        depth.visit_block(block);
        self.found.push(Function {
            name: signature.ident.to_string(),
            path: self.path.to_owned(),
            line: first,
            lines: last + 1 - first,
            depth: depth.deepest,
        });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

/// How deeply control structures are nested.
#[derive(Default)]
struct Depth {
    now: usize,
    deepest: usize,
}

impl Depth {
    fn deeper(&mut self, visit: impl FnOnce(&mut Self)) {
        self.now += 1;
        self.deepest = self.deepest.max(self.now);
        visit(self);
        self.now -= 1;
    }
}

impl<'ast> Visit<'ast> for Depth {
    // A function within a function is counted separately.
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.visit_expr(&expr.cond);
        self.deeper(|depth| depth.visit_block(&expr.then_branch));
        match expr.else_branch.as_ref().map(|(_, branch)| &**branch) {
            // `else if` is on the same level as its `if`.
            Some(syn::Expr::If(next)) => self.visit_expr_if(next),
            Some(other) => self.deeper(|depth| depth.visit_expr(other)),
            None => {}
        }
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.deeper(|depth| visit::visit_expr_match(depth, expr));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.deeper(|depth| visit::visit_expr_for_loop(depth, expr));
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.deeper(|depth| visit::visit_expr_while(depth, expr));
    }

    fn visit_expr_loop(&mut self, expr: &'ast syn::ExprLoop) {
        self.deeper(|depth| visit::visit_expr_loop(depth, expr));
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        self.deeper(|depth| visit::visit_expr_async(depth, expr));
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        if matches!(*expr.body, syn::Expr::Block(_)) {
            self.deeper(|depth| visit::visit_expr_closure(depth, expr));
        } else {
            visit::visit_expr_closure(self, expr);
        }
    }
}

struct Types<'a> {
    path: &'a str,
    found: Vec<Type>,
}

impl Types<'_> {
    fn add(&mut self, name: &syn::Ident, fields: usize) {
        let (name, path) = (name.to_string(), self.path.to_owned());
        self.found.push(Type { name, path, fields });
    }
}

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Struct(item) => {
                let named = matches!(item.fields, syn::Fields::Named(_));
                self.add(&item.ident, if named { item.fields.len() } else { 0 });
            }
            syn::Item::Enum(item) => self.add(&item.ident, 0),
            syn::Item::Trait(item) => self.add(&item.ident, 0),
            syn::Item::Type(item) => self.add(&item.ident, 0),
            _ => {}
        }
        visit::visit_item(self, item);
    }
}
