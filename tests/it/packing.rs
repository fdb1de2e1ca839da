//! The build script's packing of the page: modules to bundles, stylesheets to one.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    page_build::{page::packed, script},
    project,
};

fn files(named: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    named
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn pack(named: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
    let mut all = files(named);
    all.entry("index.html".to_owned()).or_default();
    let texts = packed(all)?.into_iter();
    Ok(texts
        .map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap()))
        .collect())
}

fn minified(source: &str) -> String {
    script::minify(&script::tokens(source).unwrap())
}

#[test]
fn a_script_loses_comments_and_white_space_and_nothing_else() {
    for (source, short) in [
        (
            "// one\nconst a = 1; // two\n/* three */ let b = a + +a - -a;\n",
            "const a=1;let b=a+ +a- -a;",
        ),
        (
            "const text = \"// no comment\" + '/* none */' + `// ${ a } /* x */`;",
            "const text=\"// no comment\"+'/* none */'+`// ${a} /* x */`;",
        ),
        (
            "if (/[/\"]\\/`/u.test(a / b / c)) return /x/;",
            "if(/[/\"]\\/`/u.test(a/b/c))return/x/;",
        ),
        (
            "return html`<p>\n    ${ { a: `x ${ b } y` } }\n  </p>`;",
            "return html`<p>\n${{a:`x ${b} y`}}\n</p>`;",
        ),
        ("const lines = `a\n  b`;", "const lines=`a\n  b`;"),
        (
            "function f() {}\nconst g = (x) =>\n  x\n    .y;\nclass A {\n  #x = 0;\n}\nf()",
            "function f(){}\nconst g=(x)=>x.y;class A{#x=0;}\nf()",
        ),
        ("const { a, ...rest } = typeof b;", "const{a,...rest}=typeof b;"),
    ] {
        assert_eq!(minified(source), short);
    }
    assert!(script::tokens("const a = \"x;").is_err());
    assert!(script::tokens("/* x").is_err());
}

#[test]
fn modules_become_one_bundle_and_one_more_for_each_import_at_run_time() {
    let packed = pack(&[
        ("index.html", "<script src=\"js/main.js\"></script>\n<link rel=\"modulepreload\" href=\"js/a.js\">\n<link rel=\"modulepreload\" href=\"js/view/later.js\">\n<link rel=\"modulepreload\" href=\"js/view/b.js\">\n"),
        ("js/main.js", "import { a as renamed } from \"./a.js\";\nrenamed();\nimport(\"./view/later.js\");\n"),
        ("js/a.js", "import shared from \"./shared.js\";\nexport const a = () => shared;\n"),
        ("js/shared.js", "export default { name: \"shared\" };\n"),
        ("js/view/later.js", "import { a } from \"../a.js\";\nimport { b } from \"./b.js\";\nexport const View = () => a(b);\nconst worker = new Worker(new URL(\"worker.js\", import.meta.url));\n"),
        ("js/view/b.js", "const a = 1;\nexport { a as b };\n"),
        ("js/view/worker.js", "postMessage(1);\n"),
        ("js/unused.js", "export const unused = 1;\n"),
    ])
    .unwrap();
    let names: Vec<_> = packed.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "css/page.css",
            "index.html",
            "js/main.js",
            "js/view/later.js",
            "js/view/worker.js"
        ]
    );
    let (main, later) = (&packed["js/main.js"], &packed["js/view/later.js"]);
    assert!(main.contains("import(\"./view/later.js\")"), "{main}");
    assert!(
        main.contains("\"shared\"") && !later.contains("\"shared\""),
        "{later}"
    );
    assert!(later.contains("from\"../main.js\""), "{later}");
    assert!(
        later.contains("new URL(\"./worker.js\",import.meta.url)"),
        "{later}"
    );
    assert!(later.contains("export const View="), "{later}");
    // The page announces each bundle once, and not the one that it starts.
    assert_eq!(
        packed["index.html"],
        "<script src=\"js/main.js\"></script>\n<link rel=\"modulepreload\" href=\"js/view/later.js\">\n"
    );
}

#[test]
fn a_module_that_cannot_be_joined_fails_the_build_with_its_name() {
    for (source, word) in [
        ("import { a } from \"./none.js\";\n", "none.js"),
        (
            "import * as all from \"./b.js\";\n",
            "js/main.js: an import of another form",
        ),
        ("import { none } from \"./b.js\";\n", "does not export none"),
        (
            "export let a = 1;\n",
            "js/main.js: an exported variable that can change",
        ),
        (
            "export const { a } = {};\n",
            "js/main.js: an export of another form",
        ),
        ("import { c } from \"./c.js\";\n", "imports itself"),
    ] {
        let error = pack(&[
            ("js/main.js", source),
            ("js/b.js", "export const b = 1;\n"),
            ("js/c.js", "import { d } from \"./d.js\";\nexport const c = d;\n"),
            ("js/d.js", "import { c } from \"./c.js\";\nexport const d = c;\n"),
        ])
        .unwrap_err();
        assert!(error.contains(word), "{source} {error}");
    }
}

#[test]
fn stylesheets_become_one_in_the_order_of_the_page() {
    let packed = pack(&[
        ("index.html", "<link rel=\"stylesheet\" href=\"css/b.css\">\n<link rel=\"stylesheet\" href=\"css/a.css\">\n<body>\n"),
        ("css/a.css", "/* a */\na > b:hover,\n.x :focus {\n  width: calc(1px + 2px);\n  content: \"; } \";\n}\n"),
        ("css/b.css", "@media (width < 700px) {\n  p { color: red; }\n}\n"),
        ("css/view.css", "i { top: 0; }"),
        ("js/main.js", ""),
    ])
    .unwrap();
    assert_eq!(
        packed["css/page.css"],
        "@media (width < 700px){p{color:red}}a > b:hover,.x :focus{width:calc(1px + 2px);content:\"; } \"}"
    );
    assert_eq!(packed["css/view.css"], "i{top:0}");
    assert_eq!(
        packed["index.html"],
        "<link rel=\"stylesheet\" href=\"css/page.css\">\n<body>\n"
    );
    assert!(!packed.contains_key("css/a.css"));
}

#[test]
fn the_page_can_be_packed_and_has_its_licences() {
    fn read(folder: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{name}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                read(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    read(&project::root().join("static"), "", &mut files);
    let packed = packed(files).unwrap();
    for name in [
        "index.html",
        "js/main.js",
        "js/shell/views.js",
        "vendor/preact.LICENSE",
        "vendor/htm.LICENSE",
    ] {
        assert!(packed.contains_key(name), "{name}");
    }
}
