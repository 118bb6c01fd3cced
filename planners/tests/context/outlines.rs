//! What texts consist of: a table of languages and forms, and texts that are none.

use proptest::prelude::*;
use tollgate_planners::context::{LANGUAGES, Outline};

/// Each symbol as `kind name@first-last`, with its documentation and signature where asked.
fn told(path: &str, text: &str) -> Vec<String> {
    let outline = Outline::new(path, text);
    let line = |idx: usize| {
        let symbol = &outline.symbols[idx];
        format!("{} {}@{}-{}", symbol.kind.name(), outline.qualified(idx), symbol.lines.0, symbol.lines.1)
    };
    (1..outline.symbols.len()).map(line).collect()
}

#[test]
fn every_language_has_its_symbols() {
    for (path, text, expected) in [
        (
            "a.rs",
            "//! File.\n\n/// Adds.\n#[inline]\npub fn add(a: i32) -> i32 {\n    a\n}\n\nstruct S;\n\nimpl S {\n    fn m(&self) {}\n}\n\nmacro_rules! m { () => {} }\ntrait T { fn f(); }\nconst C: u8 = 1;\n",
            "function add@3-7|struct S@9-9|impl S@11-13|function S::m@12-12|macro m@15-15|trait T@16-16|function T::f@16-16|constant C@17-17",
        ),
        (
            "a.py",
            "X = 1\n\n@cache\ndef f(a):\n    \"\"\"Doc.\"\"\"\n    return a\n\nclass C:\n    def m(self):\n        pass\n",
            "constant X@1-1|function f@3-6|class C@8-10|function C::m@9-10",
        ),
        (
            "a.ts",
            "/** Doc. */\nexport function f(a: number): void {\n}\nexport interface I { a: string }\ntype T = string;\nenum E { A }\nexport const g = (x: number) => {\n  return x;\n};\nclass C {\n  m() { }\n}\n",
            "function f@1-3|interface I@4-4|type T@5-5|enum E@6-6|function g@7-9|class C@10-12|function C::m@11-11",
        ),
        ("a.tsx", "export function App() {\n  return <a/>;\n}\n", "function App@1-3"),
        (
            "a.js",
            "function f() {}\nexport class C { m() {} }\nconst g = function () {};\nmodule.exports.h = () => {};\n",
            "function f@1-1|class C@2-2|function C::m@2-2|function g@3-3|function h@4-4",
        ),
        (
            "a.go",
            "package a\n\n// F does.\nfunc F(a int) int {\n\treturn a\n}\n\ntype S struct {\n\tA int\n}\n\nfunc (s *S) M() {}\n\ntype I interface{ M() }\n\nconst C = 1\n",
            "function F@3-6|struct S@8-10|function M@12-12|interface I@14-14|constant C@16-16",
        ),
        (
            "a.c",
            "/* Adds. */\nint add(int a) {\n  return a;\n}\nchar *name(void) { return 0; }\nstruct s { int a; };\n#define N 1\nint later(int);\n",
            "function add@1-4|function name@5-5|struct s@6-6|constant N@7-7|function later@8-8",
        ),
        (
            "a.cpp",
            "namespace n {\ntemplate <class T>\nclass C {\n  void m() { }\n};\nint C::f(int a) { return a; }\n}\n",
            "module n@1-7|class n::C@2-5|function n::C::m@4-4|function n::C::f@6-6",
        ),
        (
            "a.java",
            "/** Doc. */\npublic class C {\n  int x = 1;\n  C() { }\n  int m(int a) { return a; }\n}\ninterface I { void f(); }\n",
            "class C@1-6|constant C::x@3-3|function C::C@4-4|function C::m@5-5|interface I@7-7|function I::f@7-7",
        ),
        (
            "a.md",
            "Lead.\n\n# One\ntext\n## Two\n```\n# no\n```\nThree\n=====\nend\n",
            "section One@3-8|section One::Two@5-8|section Three@9-11",
        ),
        ("a.json", "{\"a\": 1,\n \"b\": {\"c\": [1, 2]}}\n", "entry a@1-1|entry b@2-2|entry b::c@2-2"),
        ("a.toml", "x = 1\n[one]\na = 1\n[two.three]\n", "entry one@2-3|entry two.three@4-4"),
        ("a.yaml", "a: 1\nb:\n  c: 2\n", "entry a@1-1|entry b@2-3"),
        ("a.csv", "x,y\n1,2\n", "entry rows 1-2@1-2"),
        ("a.unknown", "one\ntwo\n", ""),
    ] {
        assert_eq!(told(path, text).join("|"), expected, "{path}");
    }
}

#[test]
fn documentation_is_told_from_signature_and_body() {
    for (path, text, docs, signature, body) in [
        ("a.rs", "/// One.\n/// Two.\nfn f(a: u8) -> u8 { a }\n", "/// One.\n/// Two.", "fn f(a: u8) -> u8", "{ a }"),
        (
            "a.py",
            "def f(a):\n    \"\"\"One.\"\"\"\n    return a\n",
            "\"\"\"One.\"\"\"",
            "def f(a):",
            "\"\"\"One.\"\"\"\n    return a",
        ),
        ("a.go", "// One.\nfunc F() { }\n", "// One.", "func F()", "{ }"),
        ("a.java", "class C {\n  /** One. */\n  int f() { }\n}\n", "/** One. */", "int f()", "{ }"),
        ("a.ts", "/** One. */\nexport const f = () => { };\n", "/** One. */", "export const f = () =>", "{ }"),
    ] {
        let outline = Outline::new(path, text);
        let symbol = outline.symbols.iter().rfind(|it| it.kind.name() == "function");
        let symbol = symbol.unwrap_or_else(|| panic!("{path} has no function"));
        assert_eq!(
            (symbol.docs.of(text), symbol.signature.of(text), symbol.body.of(text)),
            (docs, signature, body),
            "{path}"
        );
    }
}

#[test]
fn what_is_too_long_to_parse_is_one_symbol() {
    let minified = format!("function f() {{}}\n{}", "a();".repeat(5 << 20));
    assert_eq!(told("a.js", &minified).len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text under any name has an outline whose places are in it and nest.
    #[test]
    fn any_text_has_a_sound_outline(text in "([a-z{}()#\\[\\]:,\"'=\n /*-]|fn |class |def |é){0,200}", which in 0usize..14) {
        let others = ["md", "json", "toml", "yaml", "csv", "txt"];
        let extension = LANGUAGES.get(which).map_or_else(|| others[which % others.len()], |it| it.extensions[0]);
        let outline = Outline::new(&format!("x.{extension}"), &text);
        for symbol in &outline.symbols {
            for span in [symbol.whole, symbol.docs, symbol.signature, symbol.body] {
                prop_assert!(span.end as usize <= text.len());
                prop_assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
            }
            let parent = symbol.parent.map(|it| outline.symbols[it as usize].whole);
            prop_assert!(parent.is_none_or(|it| it.holds(symbol.whole)));
        }
    }
}
