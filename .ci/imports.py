#!/usr/bin/env python3
"""Checks the import rules of src/, from the root of the repository.

    python3 .ci/imports.py              prints one line for each violation and exits with 1 if there is one
    python3 .ci/imports.py --graph      prints the import graph
    python3 .ci/imports.py --self-test  checks this script with small trees, each with one violation

A room is a file or folder directly under src/, such as src/routes.rs or src/session/. The rules:

    1. A room imports only the rooms that its line of ROOMS names. ROOMS stands from top to bottom: imports run down.
    2. No two files under src/ import each other, directly or through other files.
    3. protocol/ names no crate of FORBIDDEN_CRATES and no module of FORBIDDEN_STD.

The check prints the first violation of rule 1 for each pair of files, and a shortest circle for each group of files that
import each other.

File A imports file B if A names, in a `use` or in a path in the code, an item that B defines:

    - `mod x;` is no import.
    - A name that another file re-exports leads to the file that defines it, through any number of `use` lines. Rule 1
      also holds for the rooms of the files in between. An item that no `use` leads to belongs to the file named.
    - `pub use` of an item from the file's own submodules is no import, unless the file also uses the name in its code.
      Any other `pub use` is an import.
    - `use m::*` imports m's file, and the files of those re-exports of m whose names stand in the code.
    - A module imported by name is an import of its file, unless it encloses the importing file: then only the items that
      are named through it count.
    - Items under `#[cfg(test)]`, and files that only such an item declares, are left out.

The script parses text without types. It misses a method call on a value whose type the file does not name, a path inside a
string (as in an attribute of serde), and names that a macro generates in the file that calls it.
"""
import fnmatch, re, sys, tempfile
from pathlib import Path

CRATE = "ws_echo"  # the library's name in main.rs
ROOMS = {  # from top to bottom: the room, and all rooms that it may import
    "main": "lib check client completions healthcheck logging man server tls routes handshake http session admission transport protocol metrics config platform escape",
    "lib": "",
    "completions": "config",
    "healthcheck": "config",
    "logging": "config escape",
    "man": "config",
    "server": "tls routes handshake http session admission transport protocol metrics config platform",
    "tls": "transport metrics config platform",
    "routes": "handshake http session admission transport protocol metrics config",
    "handshake": "session admission transport protocol metrics config",
    "http": "check session admission transport protocol metrics config platform",
    "check": "client transport protocol config escape",
    "client": "transport protocol",
    "session": "admission transport protocol metrics config",
    "admission": "protocol metrics config",
    "transport": "protocol metrics config",
    "protocol": "",
    "metrics": "",
    "config": "",
    "platform": "",
    "escape": "",
}
FORBIDDEN_CRATES = "actix* awc tokio* rustls futures* socket2 log env_logger clap".split()
FORBIDDEN_STD = "net time thread io".split()

# A comment, a raw string, a string, a character (a lifetime has no second quote). Block comments nest: see below.
LITERAL = re.compile(r"""//[^\n]*|/\*|\b[bc]?r(#*)"[\s\S]*?"\1|"(?:\\[\s\S]|[^"\\])*"|"""
                     r"""'(?:\\u\{[^}]*\}|\\x..|\\.|[^'\\\n])'""")
CFG_TEST = re.compile(r"#\[cfg\(\s*(?:all\(\s*)?test\b[^\]]*\]")
VISIBLE = r"pub\b(?:\s*\([^)]*\))?\s*"
ITEM = re.compile(rf"(?:\s|#\[[^\]]*\])*(?:{VISIBLE})?"
                  r"(?:async|const|enum|extern|fn|impl|let|macro_rules|mod|static|struct|trait|type|union|unsafe|use)\b")
USE = re.compile(rf"({VISIBLE})?\buse\s+(?=[\w:{{])([^;]*);")
PATH = re.compile(r"(?<![\w:>])(?:::\s*)?\w+(?:\s*::\s*\w+)+")
DEFINED = re.compile(rf"{VISIBLE}(?:(?:async|unsafe|const)\s+)*(?:struct|enum|union|trait|fn|const|static|type)\s+(\w+)")


def blank(text, start, end):
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def end_of_item(code, start):
    """Returns where the item, field or statement after `start` ends."""
    comma_ends, depth = not ITEM.match(code, start), 0
    for bracket in re.compile(r"[(){}\[\];,]").finditer(code, start):
        char = bracket[0]
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return bracket.start()
        if depth == 0 and (char in ";}" or char == "," and comma_ends):
            return bracket.end()
    return len(code)


def without_literals_and_tests(code):
    at = 0
    while literal := LITERAL.search(code, at):
        at = literal.end()
        if literal[0] == "/*":  # comments nest
            depth = 1
            while depth and (mark := re.compile(r"/\*|\*/").search(code, at)):
                depth, at = depth + (1 if mark[0] == "/*" else -1), mark.end()
            at = len(code) if depth else at
        code = blank(code, literal.start(), at)
    if re.match(r"\s*#!\[cfg\(test\)\]", code):
        return ""
    while attribute := CFG_TEST.search(code):
        code = blank(code, attribute.start(), end_of_item(code, attribute.end()))
    return code


def use_tree(tokens, path=()):
    """Yields (path, local name, position) for each leaf of a use tree. `tokens` is a reversed list of matches."""
    name = at = None
    while tokens and tokens[-1][0] not in (",", "}"):
        token = tokens.pop()
        if token[0] == "{":
            while tokens[-1][0] != "}":
                yield from use_tree(tokens, path)
                if tokens[-1][0] == ",":
                    tokens.pop()
            tokens.pop()
            return
        if token[0] == "as":
            name = tokens.pop()[0]
        elif token[0] != "::":
            path, at = path + (token[0],), token.start()
    if path[1:] and path[-1] == "self":
        path = path[:-1]
    yield path, name or path[-1], at


class File:
    def __init__(self, path, name, parent):
        self.path, self.parent, self.children = path, parent, {}
        self.room = parent.room if parent and parent.parent else name
        self.uses, self.globs, self.named = {}, [], []  # named: (path, local name of a re-export or None, position)
        code = self.code = without_literals_and_tests(path.read_text("utf-8"))
        self.defined = set(DEFINED.findall(code))
        inline = [(m.start(), end_of_item(code, m.start())) for m in re.finditer(r"\bmod\s+\w+\s*\{", code)]

        def from_here(path, at):  # inside of `mod x { }`, the first super is this file
            for _ in range(sum(start < at < end for start, end in inline)):
                path = ("self",) + path[1:] if path[0] == "super" else path
                path = path[1:] if path[:2] == ("self", "super") else path
            return path

        for use in USE.finditer(code):
            tokens = list(re.compile(r"::|[{},*]|\w+").finditer(code, use.start(2), use.end(2)))[::-1]
            for leaf, name, at in use_tree(tokens):
                leaf = from_here(leaf, at)
                if name == "*":
                    self.globs.append(leaf[:-1])
                elif name != "_":
                    self.uses[name] = leaf
                self.named.append((leaf, name if use[1] else None, at))
            self.code = blank(self.code, use.start(), use.end())
        for match in PATH.finditer(self.code):
            self.named.append((from_here(tuple(re.findall(r"\w+", match[0])), match.start()), None, match.start()))
        self.words = set(re.findall(r"\w+", self.code))
        folder = path.parent if path.name in ("mod.rs", "lib.rs", "main.rs") else path.with_suffix("")
        for child in re.findall(r"\bmod\s+(\w+)\s*;", self.code):
            for place in (folder / f"{child}.rs", folder / child / "mod.rs"):
                if place.exists():
                    self.children[child] = File(place, child, self)

    def all(self):
        return [self] + [file for child in self.children.values() for file in child.all()]

    def encloses(self, other):
        return other is self or bool(other.parent) and self.encloses(other.parent)

    def line(self, at):
        return f"{self.path}:{self.code.count(chr(10), 0, at) + 1}"

    def resolve(self, path, seen=()):
        """Returns the files that `path` leads through, the last of which defines the item, and whether the path ends at a
        module. Returns None if it leads to another crate."""
        file = self
        if path[0] in ("crate", CRATE):
            while file.parent:
                file = file.parent
            file, path = File.library if path[0] == CRATE else file, path[1:]
        elif path[0] in ("self", "super"):
            while path and path[0] in ("self", "super"):
                file, path = path[0] == "super" and file.parent or file, path[1:]
        elif path[0] not in file.children:
            if path[0] not in file.uses or (file, path[0]) in seen:
                return None
            return file.resolve(file.uses[path[0]] + path[1:], seen + ((file, path[0]),))
        passed = [file]
        while path and path[0] in file.children:
            file, path = file.children[path[0]], path[1:]
            passed.append(file)
        if path and (file, path[0]) not in seen:
            seen += ((file, path[0]),)
            if path[0] in file.uses:
                files, module = file.resolve(file.uses[path[0]] + path[1:], seen) or ([], False)
                return passed + files, module
            for glob in file.globs:
                files, module = file.resolve(glob, seen) or ([], False)
                if module and path[0] in files[-1].names():
                    last, module = files[-1].resolve(("self",) + path, seen)
                    return passed + files + last, module
        return passed, not path

    def names(self, seen=()):
        """Returns the names that `use self::*` would import."""
        names = {*self.defined, *self.uses, *self.children}
        for glob in self.globs if self not in seen else ():
            files, module = self.resolve(glob) or ([], False)
            names |= files[-1].names(seen + (self,)) if module else set()
        return names

    def imports(self):
        """Yields (position, path, files that it leads through) for each import from this crate."""
        for path, exported, at in self.named:
            glob = path[-1] == "*"
            files, module = (path[:-1] or not glob) and self.resolve(path[:-1] if glob else path) or ([], False)
            if not files:
                continue
            names = files[-1].defined if glob else {exported}
            if exported and self.encloses(files[-1]) and not names & self.words:
                continue
            if glob and module:
                for name in sorted((files[-1].names() - files[-1].children.keys()) & self.words):
                    yield at, path, (files[-1].resolve(("self", name)) or [files])[0]
            if glob or not (module and files[-1].encloses(self)):
                yield at, path, files


class Graph:
    def __init__(self, root):
        File.library = File(root / "src/lib.rs", "lib", None)
        main = root / "src/main.rs"
        self.files = (File(main, "main", None).all() if main.exists() else []) + File.library.all()
        self.to = {file: {} for file in self.files}  # importer: {imported: position of the first import}
        for file in self.files:
            for at, _, files in file.imports():
                if files[-1] is not file:
                    self.to[file].setdefault(files[-1], at)
        self.below = {file: self.way(file) for file in self.files}

    def way(self, start):
        """Returns what `start` imports, directly or not: {file: the shortest way to it}."""
        ways, queue = {}, [(start, ())]
        for file, way in queue:
            for imported in self.to[file]:
                if imported not in ways:
                    ways[imported] = way + (file,)
                    queue.append((imported, ways[imported]))
        return ways

    def violations(self):
        below = list(ROOMS)
        for room, may in ROOMS.items():
            below.remove(room)
            for other in set(may.split()) - set(below):
                yield f".ci/imports.py: ROOMS: {room} imports {other}, which does not stand below it"
        for file in self.files:
            if file.room not in ROOMS:
                yield f"{file.path}:1: the room {file.room} has no line in ROOMS (rule 1)"
                continue
            may, reported = ROOMS[file.room].split(), set()
            for at, path, files in file.imports():
                rooms = [passed.room for passed in files[:-1] if passed.room != "lib"] + [files[-1].room]
                for room in dict.fromkeys(rooms):
                    if room != file.room and room not in may and (room, files[-1]) not in reported:
                        reported.add((room, files[-1]))
                        yield (f"{file.line(at)}: imports {'::'.join(path)} ({files[-1].path}): {file.room} may not import "
                               f"{room}, only {', '.join(may) or 'its own files'} (rule 1)")
            for path, _, at in file.named if file.room == "protocol" else []:
                crate, module = (path + ("",))[:2]
                if any(fnmatch.fnmatchcase(crate, pattern) for pattern in FORBIDDEN_CRATES):
                    forbidden = crate
                elif crate in ("std", "core") and module in FORBIDDEN_STD:
                    forbidden = f"{crate}::{module}"
                else:
                    continue
                if file.resolve(path) is None:
                    yield f"{file.line(at)}: imports {'::'.join(path)}: protocol may not name {forbidden} (rule 3)"
        reported = set()
        for file in self.files:
            circle = sorted((other for other in self.below[file] if file in self.below[other]), key=lambda other: other.path)
            if circle and file not in reported:
                reported.update(circle)
                start = min(circle, key=lambda other: len(self.below[other][other]))
                way = self.below[start][start]
                steps = [f"{a.line(self.to[a][b])} imports {b.path}" for a, b in zip(way, way[1:] + way[:1])]
                all_files = f"; {len(circle)} files import each other: {', '.join(str(other.path) for other in circle)}"
                yield (steps[0].replace(" imports", ": imports", 1) + ", " + ", ".join(steps[1:]) + ": a circle (rule 2)"
                       + all_files * (len(circle) > len(way)))

    def show(self):
        rooms = dict.fromkeys([*ROOMS, *(file.room for file in self.files)])
        order = {room: at for at, room in enumerate(rooms)}
        for room in rooms:
            files = [file for file in self.files if file.room == room]
            others = {other.room for file in files for other in self.to[file]} - {room}
            if files:
                print(room + (" -> " + ", ".join(sorted(others, key=order.get)) if others else ""))
            files.sort(key=lambda file: (-sum(other.room == room for other in self.below[file]), str(file.path)))
            for file in files if len(files) > 1 else []:
                own = [str(other.path)[4:] for other in files if other in self.to[file]]
                print("    " + str(file.path)[4:] + (" -> " + ", ".join(own) if own else ""))


RIGHT = {
    "main.rs": "use ws_echo::{config::Config, server::serve};",
    "lib.rs": "pub mod config;pub mod http;pub mod metrics;pub mod protocol;pub mod routes;pub mod server;pub mod session;",
    "config.rs": "mod tls;\npub use tls::Tls;\npub struct Config;",
    "config/tls.rs": "pub struct Tls;",
    "metrics.rs": "pub enum Limit { X }",
    "server.rs": "use crate::{config::{self, Config, Tls as T}, routes};\nfn serve() { routes::configure(); }",
    "routes.rs": "use crate::http::page;\npub fn configure() { page::get() }",
    "http/mod.rs": "pub mod health;\npub mod page;",
    "http/health.rs": "pub fn get() {}",
    "http/page.rs": "use crate::session::Reply;\nfn get<'a>(r: &'a str) { let _ = ('\"', r#\"crate::server::X\"#); } // crate::server",
    "session/mod.rs": "mod clock;\nmod reply;\n#[cfg(test)]\nmod proofs;\npub use reply::*;\nuse clock::Clock;",
    "session/reply.rs": "use super::clock::Clock;\npub struct Reply(Clock, crate::metrics::Limit);",
    "session/clock.rs": "pub struct Clock;\n#[cfg(test)]\nmod tests { use super::{*, super::Reply}; use crate::server; }",
    "session/proofs.rs": "use crate::server::serve;",
    "protocol/mod.rs": "mod frame;\nmod limits;\npub use frame::Frame;\npub use limits::Limits;",
    "protocol/frame.rs": "use std::{fmt, mem};\nuse super::Limits;\npub struct Frame;\n#[cfg(test)]\nmod tests { use std::io; }",
    "protocol/limits.rs": "pub struct Limits;\nmod inner { use super::Limits; }",
}
WRONG = [  # file, its text, a part of the one violation that is reported
    ("session/clock.rs", "\nuse crate::{http::health::get};", "src/session/clock.rs:2: imports crate::http::health::get (src/http/health.rs)"),
    ("session/clock.rs", "fn f() { crate::http::health::get() }", "session may not import http"),
    ("session/clock.rs", "use super::super::http::health as h;", "session may not import http"),
    ("metrics.rs", "pub use crate::config::Tls;", "imports crate::config::Tls (src/config/tls.rs): metrics may not import config"),
    ("config.rs", "use crate::metrics as m;", "config may not import metrics"),
    ("lib.rs", RIGHT["lib.rs"] + "pub mod attic;", "src/attic.rs:1: the room attic has no line"),
    ("session/clock.rs", "use super::reply::Reply;", "src/session/clock.rs:1: imports src/session/reply.rs, src/session/reply.rs:1 imports"),
    ("session/clock.rs", "use crate::session::Reply;", "src/session/clock.rs:1: imports src/session/reply.rs"),
    ("session/clock.rs", "use super::*;\nfn f(r: Reply) {}", "3 files import each other: src/session/clock.rs, src/session/mod.rs, src/session/reply.rs"),
    ("session/clock.rs", "use super::Defined;", "src/session/clock.rs:1: imports src/session/mod.rs"),
    ("protocol/limits.rs", "pub fn f() { super::frame::f() }", "(rule 2)"),
    ("protocol/limits.rs", "mod inner { use super::super::Frame; }", "src/protocol/limits.rs:1 imports src/protocol/frame.rs"),
    ("protocol/frame.rs", "use tokio_util::bytes;", "src/protocol/frame.rs:1: imports tokio_util::bytes"),
    ("protocol/frame.rs", "/* /* */ */ #[cfg(test)]\nuse a::B;\nfn f() { log::debug!(\"\") }", "src/protocol/frame.rs:3: imports log::debug"),
    ("protocol/frame.rs", "use std::{fmt, time::{Duration}};", "imports std::time::Duration"),
    ("protocol/frame.rs", "fn f(limit: crate::metrics::Limit) {}", "protocol may not import metrics, only its own files"),
]


def self_test():
    for name, text, expected in [("lib.rs", RIGHT["lib.rs"], ""), *WRONG]:
        with tempfile.TemporaryDirectory() as root:
            for path, code in {**RIGHT, "attic.rs": "", name: text}.items():
                path = Path(root, "src", path)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(code)
            found = [line.replace(root + "/", "") for line in Graph(Path(root)).violations()]
        assert len(found) == bool(expected) and expected in "".join(found), (name, text, found)
    print(f"{len(WRONG)} wrong trees and a right one: as expected")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif sys.argv[1:] == ["--graph"]:
        Graph(Path()).show()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        graph = Graph(Path())
        violations = list(dict.fromkeys(graph.violations()))
        print("\n".join(violations) or f"{len(graph.files)} files, {sum(map(len, graph.to.values()))} imports, no violation")
        sys.exit(bool(violations))
