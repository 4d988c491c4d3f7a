"""The examples of the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_the_examples_of_the_readme_work(pytester: pytest.Pytester) -> None:
    snippets = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    whole = [snippet for snippet in snippets if "...\n" not in snippet]
    for number, snippet in enumerate(whole):
        pytester.makepyfile(**{f"test_snippet_{number}": snippet})
    pytester.runpytest_subprocess("-W", "error::ResourceWarning").assert_outcomes(passed=4)


def test_the_readme_has_no_links_that_lead_nowhere_on_pypi() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://")] == []
