//! What a file is written in, as far as its name tells.

/// The language of a file of this name and extension.
pub(super) fn language(file_name: &str, extension: &str) -> Option<&'static str> {
    let known = |name: &str| {
        let of_name = |(_, names): &&(_, &[&str])| names.contains(&name);
        LANGUAGES
            .iter()
            .find(of_name)
            .map(|(language, _)| *language)
    };
    known(&extension.to_ascii_lowercase()).or_else(|| known(file_name))
}

/// Languages, by extension or by a whole name.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("c", &["c", "h"]),
    ("cpp", &["cc", "cpp", "cxx", "hh", "hpp", "hxx"]),
    ("csharp", &["cs"]),
    ("css", &["css", "less", "scss"]),
    ("dockerfile", &["Dockerfile"]),
    ("go", &["go"]),
    ("html", &["htm", "html"]),
    ("java", &["java"]),
    ("javascript", &["cjs", "js", "jsx", "mjs"]),
    ("json", &["json"]),
    ("kotlin", &["kt", "kts"]),
    ("lua", &["lua"]),
    ("makefile", &["Makefile", "mk"]),
    ("markdown", &["markdown", "md"]),
    ("php", &["php"]),
    ("python", &["py", "pyi"]),
    ("ruby", &["Gemfile", "Rakefile", "rb"]),
    ("rust", &["rs"]),
    ("scala", &["scala"]),
    ("shell", &["bash", "sh", "zsh"]),
    ("sql", &["sql"]),
    ("swift", &["swift"]),
    ("text", &["txt"]),
    ("toml", &["toml"]),
    ("typescript", &["cts", "mts", "ts", "tsx"]),
    ("xml", &["xml"]),
    ("yaml", &["yaml", "yml"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_and_whole_names_tell() {
        assert_eq!(language("main.rs", "rs"), Some("rust"));
        assert_eq!(language("README.MD", "MD"), Some("markdown"));
        assert_eq!(language("Makefile", ""), Some("makefile"));
        assert_eq!(language("notes", ""), None);
        assert_eq!(language("x.unknown", "unknown"), None);
    }
}
