//! Paths in errors.

use std::path::Path;

/// Returns the path in quotation marks, with line breaks and invalid bytes escaped. A backslash stays single, because Windows
/// separates directories with it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{path:?}").replace(r"\\", r"\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_path_is_one_line_with_single_backslashes() {
        assert_eq!(quoted(Path::new(r"C:\echo\static")), r#""C:\echo\static""#);
        assert_eq!(quoted(Path::new("a\nb")), r#""a\nb""#);
    }
}
