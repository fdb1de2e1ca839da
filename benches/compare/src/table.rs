//! Markdown.

/// A table as it grows, row by row.
pub struct Table {
    lines: Vec<String>,
}

impl Table {
    /// The first column is text, the others are figures.
    pub fn new<T: AsRef<str>>(head: &[T]) -> Self {
        let cells: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
        let rule = format!("|---|{}", "---:|".repeat(cells.len() - 1));
        Self {
            lines: vec![format!("| {} |", cells.join(" | ")), rule],
        }
    }

    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.lines.push(format!("| {} |", cells.join(" | ")));
    }

    pub fn print(&self) {
        println!("{}\n", self.lines.join("\n"));
    }
}

/// A whole number with commas, as English has them.
pub fn whole(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("-{text}") } else { text }
}

pub fn places(value: f64, places: usize) -> String {
    if value.is_finite() {
        format!("{value:.places$}")
    } else {
        "–".to_owned()
    }
}

pub fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.0} %", share * 100.0)
    } else {
        "–".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(whole(1_234_567.2), "1,234,567");
        assert_eq!(whole(999.6), "1,000");
        assert_eq!(whole(-1234.0), "-1,234");
        assert_eq!(whole(f64::NAN), "–");
        assert_eq!(percent(0.256), "26 %");
    }
}
