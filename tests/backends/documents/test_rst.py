"""reStructuredText becomes Markdown, Sphinx's directives and roles with it."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.documents.rst import read


def text_of(source: str) -> str:
    """Return what a text reads as, which must have been understood."""
    found = read("a.rst", dedent(source).encode())
    assert not found.plain
    return found.text


def test_sections_become_headings() -> None:
    """Titles become headings by depth, the first is the title, and blocks are places."""
    found = read("a.rst", b"Guide\n=====\n\nIntro\ntext.\n\nUse\n---\n\nMore.\n")
    assert found.text == "# Guide\n\nIntro text.\n\n## Use\n\nMore.\n"
    assert found.title == "Guide"
    names = {found.text[place.start :].split("\n")[0]: place.name for place in found.places}
    assert names["Intro text."] == "line 4"
    assert names["More."] == "line 10"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("*a* **b** ``c d`` `e`", "a b `c d` e"),
        ("`site <http://x.y>`_ and page_\n\n.. _page: http://z", "site and page"),
        ("|v| is new\n\n.. |v| replace:: 3.2", "3.2 is new"),
        ("See [1]_.\n\n.. [1] A note.", "See [1].\n\n[1] A note."),
        (":ref:`a title <label>`, :doc:`/a`, :func:`~os.path.join`", "a title, /a, `os.path.join`"),
        (":py:class:`!Thing`", "`Thing`"),
        ("- one\n- two\n  more\n\n  - deep", "- one\n\n- two more\n\n  - deep"),
        ("#. one\n#. two", "1. one\n2. two"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("term : kind\n    What it means.\n\n    More.", "term : kind\n: What it means.\n\n  More."),
        ("-a         all\n--out=FILE, -o FILE  write", "-a\n: all\n\n--out=FILE, -o FILE\n: write"),
        (":Author: Me\n:param x: The x.", "Author\n: Me\n\nparam x\n: The x."),
        ("Code::\n\n    # x\n      y", "Code:\n\n```\n# x\n  y\n```"),
        (">>> 1\n1", "```pycon\n>>> 1\n1\n```"),
        ("| one\n| two", "one\ntwo"),
        ("    quoted", "quoted"),
        (".. a comment\n\nText.", "Text."),
        ("\\# no heading", "\\# no heading"),
    ],
)  # fmt: skip
def test_markup_becomes_markdown(source: str, text: str) -> None:
    """Each kind of markup becomes what Markdown has for it."""
    assert text_of(source) == text + "\n"


@pytest.mark.parametrize(
    "source",
    [
        "=== ===\nk   v\n=== ===\na   1\nb|c 2\n=== ===\n",
        "+---+---+\n| k | v |\n+===+===+\n| a | 1 |\n+---+---+\n|b|c| 2 |\n+---+---+\n",
        ".. list-table::\n   :header-rows: 1\n\n   * - k\n     - v\n   * - a\n     - 1\n   * - b|c\n     - 2\n",
        '.. csv-table::\n   :header: k, v\n\n   a, 1\n   b|c, 2\n',
    ],
    ids=["simple", "grid", "list", "csv"],
)  # fmt: skip
def test_tables_become_tables(source: str) -> None:
    """Tables of each notation have a header and rows."""
    assert text_of(source) == "| k | v |\n| --- | --- |\n| a | 1 |\n| b\\|c | 2 |\n"


def test_cells_that_span_rows_are_in_each_of_them() -> None:
    """A row carries what stands beside it."""
    table = "+---+---+\n| k | v |\n+===+===+\n| a | 1 |\n|   +---+\n|   | 2 |\n+---+---+\n"
    assert text_of(table).endswith("| a | 1 |\n| a | 2 |\n")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            ".. confval:: timeout\n   :type: int\n   :default: 30\n   :no-index:\n\n   How long to wait.\n",
            "timeout\n: type: int\n\n  default: 30\n\n  How long to wait.",
        ),
        (
            ".. py:function:: open(path)\n              open(file, mode)\n\n   Open it.\n\n   :param path: Where.\n",
            "open(path)\nopen(file, mode)\n: Open it.\n\n  param path\n  : Where.",
        ),
        (".. option:: -x, --long\n\n   Be long.", "-x, --long\n: Be long."),
        (".. note:: Mind\n   this.", "Note: Mind this."),
        (".. warning::\n\n   Hot.\n\n   Very.", "Warning: Hot.\n\nVery."),
        (".. versionadded:: 3.2\n   The ``x``.", "Added in version 3.2: The `x`."),
        (".. version-changed:: 3.2", "Changed in version 3.2"),
        (".. deprecated:: 4", "Deprecated since version 4"),
        (".. seealso:: :ref:`More <m>`", "See also: More"),
        (".. admonition:: Title\n\n   Body.", "Title\n: Body."),
        (".. code-block:: python\n   :linenos:\n   :caption: a.py\n\n   # x\n   y", "a.py\n\n```python\n# x\ny\n```"),
        (".. code-tab:: toml\n\n   [a]", "```toml\n[a]\n```"),
        (".. math::\n   :label: e\n\n   x^2", "```\nx^2\n```"),
        (".. tabs::\n\n   .. tab:: One\n\n      Text.", "One\n: Text."),
        (".. glossary::\n\n   term\n      Meaning.", "term\n: Meaning."),
        (".. figure:: a.png\n   :alt: A cat\n   :width: 3em\n\n   The cat.", "A cat: The cat."),
        (".. toctree::\n   :maxdepth: 2\n\n   a\n   b\n\nText.", "Text."),
        (".. index:: x\n\nText.", "Text."),
        (".. only:: html\n\n   Text.", "Text."),
        (".. unheard-of:: name\n   :odd key: 1\n\n   Content.", "name\n: odd key: 1\n\n  Content."),
    ],
)  # fmt: skip
def test_directives_of_sphinx_keep_what_they_say(source: str, text: str) -> None:
    """Arguments become terms, options lines, and content is kept."""
    assert text_of(source) == text + "\n"


def test_nothing_is_included_or_fetched(tmp_path: object) -> None:
    """Files that a text names are not read."""
    text = text_of(
        ".. include:: /etc/hostname\n\n.. raw:: html\n   :file: /etc/passwd\n\n"
        ".. csv-table::\n   :file: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n\nText.\n"
    )
    assert "root" not in text
    assert text.endswith("Text.\n")


@pytest.mark.parametrize(
    "source",
    [
        "*a " * 300_000,
        "`a <b " * 20_000,
        "\n".join(f"{'  ' * depth}- a\n" for depth in range(400)),
        "\n".join(" " * depth + "a" for depth in range(800)),
        "\n".join(f"{'   ' * depth}.. foo:: a\n" for depth in range(200)),
        "x" * 20_000,
        "word\n\n" * 300_000,
        "\n".join(f".. foo{number}:: a\n" for number in range(2_000)),
    ],
    ids=["starts", "links", "lists", "terms", "directives", "line", "large", "names"],
)
def test_what_docutils_cannot_bear_stays_plain(source: str) -> None:
    """Texts too deep, too large or made to be slow stay as they are, and soon."""
    began = time.monotonic()
    found = read("a.rst", source.encode())
    assert found.plain
    assert found.text == source
    assert time.monotonic() - began < 10


def test_substitutions_do_not_multiply() -> None:
    """Substitutions of substitutions are not carried out without end."""
    doubling = "\n".join(f".. |a{n}| replace:: |a{n + 1}| |a{n + 1}|" for n in range(40))
    assert len(text_of(f"{doubling}\n\n|a0| |loop|\n\n.. |loop| replace:: |loop|\n")) < 100


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "a", "*", "`", "``", "|", "_", "::", "\n", "\n\n", "   ", "- ", "1. ", ".. ", "note", ":a:", ":ref:`",
                "=====\n", "+--+\n", "=== ===\n", "<b>", "[1]_", ".. [1] ", ".. |s| replace:: ", "|s|", "-x  ",
                ".. table::\n", ".. figure:: a\n", ".. code:: py\n", ".. default-role:: x\n", ".. role:: a(b)\n",
                ".. list-table::\n\n", "   * - ", "     - ", ".. class:: x\n", ".. sectnum::\n", ".. contents::\n",
                ".. math:: x\n", ".. parsed-literal::\n", ".. topic:: t\n", ".. sidebar:: t\n", ".. date::\n",
                ".. unicode:: 0x41\n", ".. image:: a\n", "\\", "é",
            ]
        ),
        max_size=50,
    ).map("".join)
)  # fmt: skip
def test_any_text_is_read(source: str) -> None:
    """Whatever comes, there is text."""
    assert read("a.rst", source.encode()).text.endswith("\n") or not source.endswith("\n")
