//! Joins the page's modules to bundles: one for main.js, and one for each module that `import()` or a worker names.
//!
//! A bundle has the path of its first module and holds that module's imports, except those of earlier bundles, which it
//! imports. So no module runs twice. In a bundle each module is a function that runs once and returns its exports:
//!
//! ```js
//! const $7=(()=>{const{store}=$3; … return{t,language}})();
//! ```
//!
//! The page's modules keep to what this can join: `import { a, b as c } from "./x.js";`, a default import, `export` before a
//! const, function or class, `export { a, b as c };` and `export default`. Other forms are errors, as are circles.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::script::{Token, minify, tokens};

/// The modules of the page by path, such as `js/shared/i18n.js`.
pub(crate) type Sources = BTreeMap<String, String>;

/// A module without its imports and exports.
#[derive(Default)]
struct Module<'s> {
    body: Vec<Piece<'s>>,
    /// (path, exported name, local name)
    imports: Vec<(String, &'s str, &'s str)>,
    /// The paths of all imports, also of those without a name.
    dependencies: Vec<String>,
    /// exported name: local name
    exports: BTreeMap<&'s str, &'s str>,
    /// The modules that it loads when it runs, by `import()` or as a worker.
    later: Vec<String>,
}

enum Piece<'s> {
    Token(Token<'s>),
    /// The quoted path of a module that is loaded when this one runs.
    Path(String),
}

/// Returns the bundles by path, and for each module the path of its bundle.
///
/// # Errors
/// If a module is missing, has a form that cannot be joined, or is part of a circle.
pub(crate) fn bundles(sources: &Sources, first: &str) -> Result<(Sources, HashMap<String, String>), String> {
    let mut modules = BTreeMap::new();
    for (path, source) in sources {
        let parsed = tokens(source).and_then(|tokens| parse(path, &tokens));
        modules.insert(path.as_str(), parsed.map_err(|error| format!("{path}: {error}"))?);
    }
    let get = |path: &str| modules.get(path).ok_or_else(|| format!("{path}: no such module"));

    // Breadth first, so that what the page needs early is in an early bundle.
    let mut entries = vec![first.to_owned()];
    let (mut index, mut reached) = (0, HashSet::from([first.to_owned()]));
    let mut queue = vec![first.to_owned()];
    while let Some(path) = queue.get(index).cloned() {
        index += 1;
        let module = get(&path)?;
        for later in &module.later {
            if !entries.contains(later) {
                entries.push(later.clone());
            }
        }
        for next in module.dependencies.iter().chain(&module.later) {
            if reached.insert(next.clone()) {
                queue.push(next.clone());
            }
        }
    }

    let mut plan = Plan {
        modules: &modules,
        entries: &entries,
        owner: HashMap::new(),
        order: Vec::new(),
    };
    for entry in &entries {
        plan.assign(entry, &mut Vec::new())?;
    }
    let bundles = entries
        .iter()
        .map(|entry| Ok((entry.clone(), write(entry, &modules, &plan)?)));
    let bundles = bundles.collect::<Result<_, String>>()?;
    Ok((bundles, plan.owner))
}

struct Plan<'m, 's> {
    modules: &'m BTreeMap<&'m str, Module<'s>>,
    entries: &'m [String],
    /// module: bundle
    owner: HashMap<String, String>,
    /// All modules, each after those that it imports.
    order: Vec<String>,
}

impl Plan<'_, '_> {
    /// Gives a bundle its modules. The bundles that it imports come first: a bundle imports only earlier ones.
    fn assign(&mut self, entry: &str, open: &mut Vec<String>) -> Result<(), String> {
        if self.owner.contains_key(entry) {
            return Ok(());
        }
        for path in self.reachable(entry)? {
            if path != entry && self.entries.contains(&path) {
                self.assign(&path, open)?;
            }
        }
        self.add(entry, entry, open)
    }

    fn add(&mut self, path: &str, bundle: &str, open: &mut Vec<String>) -> Result<(), String> {
        if open.iter().any(|other| other == path) {
            return Err(format!("{path}: imports itself through {}", open.join(", ")));
        }
        if self.owner.contains_key(path) {
            return Ok(());
        }
        open.push(path.to_owned());
        let module = self
            .modules
            .get(path)
            .ok_or_else(|| format!("{path}: no such module"))?;
        for dependency in &module.dependencies {
            self.add(dependency, bundle, open)?;
        }
        open.pop();
        self.owner.insert(path.to_owned(), bundle.to_owned());
        self.order.push(path.to_owned());
        Ok(())
    }

    fn reachable(&self, entry: &str) -> Result<Vec<String>, String> {
        let mut paths = vec![entry.to_owned()];
        let mut index = 0;
        while let Some(path) = paths.get(index).cloned() {
            index += 1;
            let module = self
                .modules
                .get(path.as_str())
                .ok_or_else(|| format!("{path}: no such module"))?;
            for dependency in &module.dependencies {
                if !paths.contains(dependency) {
                    paths.push(dependency.clone());
                }
            }
        }
        Ok(paths)
    }
}

fn write(entry: &str, modules: &BTreeMap<&str, Module<'_>>, plan: &Plan<'_, '_>) -> Result<String, String> {
    let number = |path: &str| {
        plan.order
            .iter()
            .position(|other| other == path)
            .unwrap_or_default()
    };
    let mut body = String::new();
    let mut elsewhere: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in plan.order.iter().filter(|path| plan.owner[*path] == entry) {
        let module = &modules[path.as_str()];
        let mut imports: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (from, exported, local) in &module.imports {
            if !modules[from.as_str()].exports.contains_key(exported) {
                return Err(format!("{path}: {from} does not export {exported}"));
            }
            imports.entry(from).or_default().push(pair(exported, local));
        }
        body.push_str(&format!("const ${}=(()=>{{", number(path)));
        for (from, names) in imports {
            let number = number(from);
            body.push_str(&format!("const{{{}}}=${number};", names.join(",")));
            if plan.owner[from] != entry {
                elsewhere
                    .entry(&plan.owner[from])
                    .or_default()
                    .insert(format!("${number}"));
            }
        }
        body.push_str(&module.text(entry));
        let exports: Vec<_> = module
            .exports
            .iter()
            .map(|(exported, local)| pair(exported, local))
            .collect();
        body.push_str(&format!("\nreturn{{{}}}}})();\n", exports.join(",")));
    }
    let imports = elsewhere.into_iter().map(|(bundle, names)| {
        let names: Vec<_> = names.into_iter().collect();
        format!(
            "import{{{}}}from\"{}\";\n",
            names.join(","),
            relative(entry, bundle)
        )
    });
    let mut script: String = imports.collect();
    script.push_str(&body);
    // Other bundles import modules, and `import()` the names of the first module.
    let used = plan
        .order
        .iter()
        .filter(|path| plan.owner[*path] == entry)
        .filter(|path| {
            modules.iter().any(|(other, module)| {
                plan.owner.get(*other).is_some_and(|owner| owner != entry)
                    && module.dependencies.contains(path)
            })
        });
    let used: Vec<_> = used.map(|path| format!("${}", number(path))).collect();
    script.push_str(&format!("export{{{}}};\n", used.join(",")));
    for exported in modules[entry].exports.keys() {
        script.push_str(&match *exported {
            "default" => format!("export default ${}.default;\n", number(entry)),
            name => format!("export const {name}=${}.{name};\n", number(entry)),
        });
    }
    Ok(script)
}

fn pair(name: &str, local: &str) -> String {
    if name == local {
        name.to_owned()
    } else {
        format!("{name}:{local}")
    }
}

impl Module<'_> {
    /// Returns the code, with the paths of other modules as seen from `bundle`.
    fn text(&self, bundle: &str) -> String {
        let quoted: Vec<_> = self
            .body
            .iter()
            .map(|piece| match piece {
                Piece::Path(path) => format!("\"{}\"", relative(bundle, path)),
                Piece::Token(_) => String::new(),
            })
            .collect();
        let tokens: Vec<_> = self
            .body
            .iter()
            .zip(&quoted)
            .map(|(piece, quoted)| match piece {
                Piece::Path(_) => Token::Literal(quoted),
                Piece::Token(token) => *token,
            })
            .collect();
        minify(&tokens)
    }
}

/// Reads the imports and exports of a module, and leaves them out of its body.
fn parse<'s>(path: &str, tokens: &[Token<'s>]) -> Result<Module<'s>, String> {
    let mut module = Module::default();
    // Without white space, which stands between any two of these tokens.
    let solid: Vec<usize> = (0..tokens.len())
        .filter(|at| !matches!(tokens[*at], Token::Space | Token::Break))
        .collect();
    let at = |index: usize| solid.get(index).map(|at| tokens[*at]);
    let mut statement = Statement {
        path,
        at: &at,
        index: 0,
    };
    let (mut depth, mut copied) = (0_usize, 0);
    while let Some(token) = at(statement.index) {
        let start = statement.index;
        let is_first = depth == 0 && (start == 0 || matches!(at(start - 1), Some(Token::Mark(';' | '}'))));
        match token {
            Token::Word("import") if at(start + 1) == Some(Token::Mark('(')) => {
                let target = statement.target(start + 2)?;
                module.copy(tokens, copied..solid[start + 2]);
                module.body.push(Piece::Path(target.clone()));
                module.later.push(target);
                copied = solid[start + 2] + 1;
                statement.index = start + 3;
                continue;
            }
            Token::Word("URL") if at(start + 4) == Some(Token::Word("import")) => {
                let target = statement.target(start + 2)?;
                module.copy(tokens, copied..solid[start + 2]);
                module.body.push(Piece::Path(target.clone()));
                module.later.push(target);
                copied = solid[start + 2] + 1;
            }
            Token::Word("import") if is_first && at(start + 1) != Some(Token::Mark('.')) => {
                module.copy(tokens, copied..solid[start]);
                statement.index += 1;
                statement.import(&mut module)?;
                copied = solid.get(statement.index).copied().unwrap_or(tokens.len());
                continue;
            }
            Token::Word("export") if is_first => {
                module.copy(tokens, copied..solid[start]);
                statement.index += 1;
                if statement.export(&mut module)? {
                    module.body.push(Piece::Token(Token::Word("const")));
                    module.body.push(Piece::Token(Token::Space));
                    module.body.push(Piece::Token(Token::Word(DEFAULT)));
                    module.body.push(Piece::Token(Token::Mark('=')));
                }
                copied = solid.get(statement.index).copied().unwrap_or(tokens.len());
                continue;
            }
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark('}' | ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        statement.index += 1;
    }
    module.copy(tokens, copied..tokens.len());
    Ok(module)
}

/// The local name of a default export.
const DEFAULT: &str = "$default";

impl<'s> Module<'s> {
    fn copy(&mut self, tokens: &[Token<'s>], range: std::ops::Range<usize>) {
        self.body.extend(tokens[range].iter().copied().map(Piece::Token));
    }
}

/// The statement that is read.
struct Statement<'t, 's> {
    path: &'t str,
    at: &'t dyn Fn(usize) -> Option<Token<'s>>,
    index: usize,
}

impl<'s> Statement<'_, 's> {
    fn next(&mut self) -> Option<Token<'s>> {
        self.index += 1;
        (self.at)(self.index - 1)
    }

    /// Reads `a, { b, c as d } from "./x.js";`, or the path alone.
    fn import(&mut self, module: &mut Module<'s>) -> Result<(), String> {
        let mut names = Vec::new();
        loop {
            match self.next() {
                Some(Token::Literal(_)) => break self.index -= 1,
                Some(Token::Word("from") | Token::Mark(',')) => {}
                Some(Token::Word(local)) => names.push(("default", local)),
                Some(Token::Mark('{')) => names.extend(self.names()?),
                _ => {
                    return Err(
                        "an import of another form than `import { a, b as c } from \"./x.js\";`".to_owned(),
                    );
                }
            }
        }
        let target = self.target(self.index)?;
        self.index += 1;
        self.end()?;
        module.imports.extend(
            names
                .into_iter()
                .map(|(exported, local)| (target.clone(), exported, local)),
        );
        module.dependencies.push(target);
        Ok(())
    }

    /// Reads an export up to what stays in the body. Returns whether it is the default.
    fn export(&mut self, module: &mut Module<'s>) -> Result<bool, String> {
        let name = match (self.at)(self.index) {
            Some(Token::Word("default")) => {
                self.index += 1;
                module.exports.insert("default", DEFAULT);
                return Ok(true);
            }
            Some(Token::Mark('{')) => {
                self.index += 1;
                let names = self.names()?;
                module
                    .exports
                    .extend(names.into_iter().map(|(local, exported)| (exported, local)));
                self.end()?;
                return Ok(false);
            }
            Some(Token::Word("const" | "function" | "class")) => match (self.at)(self.index + 1) {
                Some(Token::Mark('*')) => (self.at)(self.index + 2),
                name => name,
            },
            Some(Token::Word("async")) => (self.at)(self.index + 2),
            // The bundle copies the value once.
            Some(Token::Word("let" | "var")) => return Err("an exported variable that can change".to_owned()),
            _ => None,
        };
        let Some(Token::Word(name)) = name else {
            return Err(
                "an export of another form than a const, function, class or `export { a, b as c };`"
                    .to_owned(),
            );
        };
        module.exports.insert(name, name);
        Ok(false)
    }

    /// Reads `a, b as c }`.
    fn names(&mut self) -> Result<Vec<(&'s str, &'s str)>, String> {
        let mut names: Vec<(&str, &str)> = Vec::new();
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(names),
                Some(Token::Mark(',')) => {}
                Some(Token::Word("as")) => match (self.next(), names.last_mut()) {
                    (Some(Token::Word(name)), Some(last)) => last.1 = name,
                    _ => return Err("`as` without a name".to_owned()),
                },
                Some(Token::Word(name)) => names.push((name, name)),
                _ => return Err("a list of names without an end".to_owned()),
            }
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.next() {
            Some(Token::Mark(';')) => Ok(()),
            _ => Err("an import or export without a semicolon".to_owned()),
        }
    }

    /// Returns the path of the module that the string at `index` names.
    fn target(&self, index: usize) -> Result<String, String> {
        let Some(Token::Literal(literal)) = (self.at)(index) else {
            return Err("the path of a module is no string".to_owned());
        };
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in literal.trim_matches(['"', '\'']).split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Ok(parts.join("/"))
    }
}

/// Returns the path of the file `to`, as the file `from` imports it.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (from.split('/').collect(), to.split('/').collect());
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(a, b)| a == b)
        .count()
        .min(from.len() - 1);
    let up = "../".repeat(from.len() - 1 - common);
    format!(
        "{}{}",
        if up.is_empty() { "./" } else { &up },
        to[common..].join("/")
    )
}
