//! Texts of many kinds: the project's own files, data beside it, hand-written ones, and random ones.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use fancy_regex::Regex;
use proptest::prelude::*;
use tollgate_tokenizers::TOKENIZERS;

/// Of a file, so much is read.
const MAX_BYTES: usize = 40_000;

/// English, Rust, Python, JavaScript, shell, TOML and YAML from the project; schemas and calls from the data beside it.
pub fn real() -> impl Iterator<Item = String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders =
        ["docs", "tokenizers/src", "tokenizers/src/split", "gateway/tests/e2e", "config", "../shared/data/tool-lists"];
    let alone = ["README.md", "ARCHITECTURE.md", "Cargo.toml", "check", "LICENSE"].map(|it| root.join(it));
    let listed = folders.map(|it| root.join(it)).into_iter().flat_map(files_in);
    alone.into_iter().chain(listed).filter_map(|it| std::fs::read_to_string(it).ok()).map(cut)
}

fn files_in(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&folder).map(|it| it.flatten().collect()).unwrap_or_else(|_| {
        eprintln!("skipped: {} is absent", folder.display());
        Vec::new()
    });
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|it| it.path()).filter(|it| it.is_file()).collect();
    paths.sort();
    paths
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_BYTES));
    text
}

pub fn written() -> impl Iterator<Item = String> {
    WRITTEN.iter().map(|it| (*it).to_owned())
}

const WRITTEN: &[&str] = &[
    "",
    " ",
    "It's nine o'clock, and they'LL say that we've 1234567 things to do -- don't we?\r\n\r\n  Yes.\t\n",
    "#include <stdio.h>\nint main(void) {\n\tfor (int i = 0; i < 10; i++)\n\t\tprintf(\"%d\\n\", i << 2);\n\treturn 0;\n}\n",
    "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tdefer func() { fmt.Println(<-make(chan int)) }()\n}\n",
    "public final class A<T extends Comparable<T>> {\n    @Override public int hashCode() { return 31 * x ^ y; }\n}\n",
    "template <typename T, std::size_t N>\nconstexpr auto f(const T (&a)[N]) noexcept -> decltype(a[0] + 1);\n",
    "SELECT a.id, COUNT(*) FROM a LEFT JOIN b ON a.id = b.a_id WHERE b.x IS NULL GROUP BY 1 HAVING COUNT(*) > 10;\n",
    "module Main where\nmain :: IO ()\nmain = mapM_ print [x | x <- [1..], even x, x `mod` 3 == 0]\n",
    "class Foo\n  attr_reader :bar\n  def baz(&b) = @bar&.each_with_index { |x, i| puts \"#{i}: #{x}\" }\nend\n",
    "def f(x: int) -> dict[str, list]:\n    return {\n        **{k: [v] for k, v in zip('ab', range(x))},\n                }\n",
    r#"{"type":"object","properties":{"path":{"type":"string","description":"A file's path.","minLength":1},"n":{"type":"integer","default":-10}},"required":["path"],"additionalProperties":false}"#,
    "敏捷的棕色狐狸跳过了懒狗。価格は1,234円です！ 東京都（とうきょうと）カタカナー。한국어 텍스트도 있습니다.",
    "اللُّغَةُ العَرَبِيَّةُ جميلة، ٣٤٥٦ كلمة؛ أليس كذلك؟ עִבְרִית גם כן. हिन्दी में भी लिखते हैं। ภาษาไทยไม่มีช่องว่าง",
    "👍🏽👩‍👩‍👧‍👦🇩🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿 ☕️ ①②③ Ⅷ ½ x² ﬁ ﬀ Å Å é é ǅ ʰ K ;",
    "\u{0}\u{1}\u{7f}\u{85}\u{a0}\u{ad}\u{200b}\u{200d}\u{2028}\u{3000}\u{e000}\u{feff}\u{fffd}\u{ffff}\u{10ffff}",
    "|||IP_ADDRESS||| a|||EMAIL_ADDRESS|||\u{338} ||||PHONE_NUMBER|||| |||IP_ADDRESS||",
];

/// Text that leans on what vocabularies differ about.
pub fn awkward(max_bits: usize) -> impl Strategy<Value = String> {
    let names: Vec<&str> = TOKENIZERS.iter().flat_map(|it| it.specials.iter().map(|(name, _)| *name)).collect();
    let bit = prop_oneof![
        4 => "[a-zA-Z]{1,9}",
        1 => "[a-z]{10,60}",
        2 => "[0-9]{1,7}",
        3 => Just(" ".to_owned()),
        2 => "[ \t\r\n]{1,5}",
        1 => " {1,50}",
        3 => "['\".,:;/{}\\[\\]()_<|>$+^`~=*-]{1,4}",
        1 => "[;/\n*a ']{1,8}",
        1 => Just("don't we'LL o'Clock 'ſ 'RE'it's's".to_owned()),
        1 => prop::sample::select(names).prop_map(str::to_owned),
        1 => prop_oneof!["</?(table|td|h1|b|code|unused[0-9]{1,2}|think|tool_call)>", "\\|\\|\\|(IP|EMAIL)_ADDRESS\\|{1,4}", "<0x[0-9A-F]{2}>"],
        1 => "[一-龥〇⺀々]{1,9}",
        1 => "[ぁ-んァ-ヶー가-힣]{1,4}",
        1 => "[A-Zǅʰªºa-z\u{301}\u{903}\u{20dd}é中]{1,6}",
        1 => "[ء-ي\u{64b}-\u{652}٠-٩،؟]{1,9}",
        1 => "[а-яё]{1,12}",
        1 => "[。，、é́ñßЖ🙂🏽٣Ⅷ▁\u{200d}\u{a0}\u{0}\u{1}\u{ad}\u{e000}]{1,3}",
        1 => any::<char>().prop_map(String::from),
        1 => "[\x00-\x7f]{1,5}",
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(|it| String::from_utf8_lossy(&it).into_owned()),
    ];
    prop::collection::vec(bit, 0..max_bits).prop_map(|bits| assigned(&bits.concat()))
}

/// Without characters that Unicode 16 does not know: a reference with the tables of 17 takes some of them for letters.
fn assigned(text: &str) -> String {
    static UNKNOWN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{Cn}").unwrap());
    UNKNOWN.replace_all(text, "").into_owned()
}
