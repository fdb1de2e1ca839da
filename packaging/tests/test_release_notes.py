"""The notes of a release, from a changelog."""

import contextlib
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from release_notes import main, section  # noqa: E402

CHANGELOG = """# Changelog

## [Unreleased]

- later

## [1.2.0] - 2026-12-01

### Added

- a flag [docs](docs/x.md)

## [1.1.0] - 2026-11-01

## [1.0.0] - 2026-10-01

- first

[1.0.0]: https://git.example/releases/v1.0.0
"""


class Notes(unittest.TestCase):
    def test_a_section_ends_before_the_next_one_and_before_the_links(self):
        self.assertEqual(section(CHANGELOG, "1.2.0"), "### Added\n\n- a flag [docs](docs/x.md)")
        self.assertEqual(section(CHANGELOG, "1.0.0"), "- first")

    def test_a_missing_or_empty_section_is_an_error(self):
        for version, text in (("1.3.0", "no section"), ("1.2", "no section"), ("1.1.0", "is empty")):
            with self.assertRaisesRegex(ValueError, text):
                section(CHANGELOG, version)

    def test_a_tag_that_is_not_the_version_is_an_error(self):
        output = io.StringIO()
        with contextlib.redirect_stderr(output):
            self.assertEqual(main(["v99.0.0"]), 1)
        self.assertIn("expected v", output.getvalue())


if __name__ == "__main__":
    unittest.main()
