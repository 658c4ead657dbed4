"""HTML becomes text that keeps its structure, without what leads around it."""

from __future__ import annotations

import pytest

from backends.documents.html import read_html
from backends.documents.text import Block

LINKS = "".join(f"<li><a href='{number}'>Page number {number}</a></li>" for number in range(9))


def _titles(html: str) -> list[tuple[int, str, int]]:
    return [(block.level, block.title, block.depth) for block in read_html(html).blocks]


def _texts(html: str) -> list[str]:
    document = read_html(html)
    return [document.text[block.start : block.end] for block in document.blocks]


def test_structure_is_kept() -> None:
    """Headings, lists, tables and code of a page become Markdown; scripts and the head are left out."""
    page = (
        "<html><head><title>T</title><style>p{}</style></head><body><h2>Set up</h2><p>Run &amp;\n wait.</p>"
        "<ul><li>one<ul><li>deeper</li></ul></li><li>two</li></ul><pre>a\n  b</pre>"
        "<table><tr><th>k<th>v</tr><tr><td>x|y<td>1</table><script>x()</script></body></html>"
    )
    document = read_html(page)
    assert document.title == "T"
    assert document.text == (
        "## Set up\n\nRun & wait.\n\n- one\n  - deeper\n- two\n\n```\na\n  b\n```\n\n"
        "| k | v |\n| --- | --- |\n| x\\|y | 1 |\n"
    )


def test_definitions_are_under_their_terms() -> None:
    """Terms stand before what they mean, several of one definition together, and none reaches further."""
    page = "<dl><dt>-q<dt>--quiet<dd><p>Say less.<p>Or nothing.<dt>-v<dd>Say more.</dl><p>After."
    assert _titles(page) == [
        (7, "-q, --quiet", 0),
        (0, "", 1),
        (0, "", 1),
        (7, "-v", 0),
        (0, "", 1),
        (0, "", 0),
    ]
    assert read_html(page).text == (
        "-q\n--quiet\n: Say less.\n\n  Or nothing.\n\n-v\n: Say more.\n\nAfter.\n"
    )


def test_rows_are_under_their_header() -> None:
    """The header of a table stands above its rows; a column of names makes lines of them."""
    headed = "<table><tr><th>Name<th>Meaning</tr><tr><td>a<td>one</tr><tr><td>b<td>two</table>"
    assert _titles(headed) == [(7, "Name | Meaning", 0), (0, "", 1), (0, "", 1)]
    assert _texts("<table><tr><th>Default:<td>5</tr><tr><th>Context:<td>server</table>") == [
        "Default: 5\nContext: server"
    ]


def test_one_column_makes_items() -> None:
    """A table of one column is a list, the paragraphs of each cell together."""
    cells = "".join(f"<tr><td><p>{name} oid</p><p>What {name} is.</p></td></tr>" for name in "ab")
    assert _texts(f"<table>{cells}</table>") == ["- a oid\n  What a is.", "- b oid\n  What b is."]


def test_line_before_a_list_leads_into_it() -> None:
    """A paragraph that ends in a colon stands above the list that follows."""
    assert _titles("<p>Choose one:</p><ul><li>a</li></ul><p>Then go on:</p><p>x</p>") == [
        (7, "Choose one", 0),
        (0, "", 1),
        (0, "", 0),
        (0, "", 0),
    ]


@pytest.mark.parametrize(
    "around",
    [
        "<nav>Home</nav>",
        "<div class='navheader'>Home</div>",
        "<div role='navigation'>Home</div>",
        "<div id='sidebar'>Home</div>",
        f"<ul>{LINKS}</ul>",
        "<table><tr><td><a href='a'>Prev</a><td><a href='b'>Up</a><td><a href='c'>Next</a></table>",
        "<a class='headerlink' href='#x'>¶</a>",
        "<p hidden>Home</p>",
        "<!-- Home -->",
    ],
)
def test_what_leads_elsewhere_is_left_out(around: str) -> None:
    """Navigation is known by its tag, role and class, and as a block of links alone."""
    assert (
        read_html(f"<body>{around}<p>It says <a href='x'>this</a>.</p>{around}</body>").text
        == "It says this.\n"
    )


def test_long_content_is_kept_whatever_its_class() -> None:
    """A block that is called like navigation but holds many paragraphs is what the page says."""
    page = "<div class='toc'>" + "<p>A paragraph of its own.</p>" * 12 + "</div>"
    assert read_html(page).text.count("paragraph") == 12


def test_anchors_are_places() -> None:
    """A place begins at the text that follows its anchor."""
    document = read_html(
        "<h1 id='top'>A</h1><p>x</p><dl><dt id='t'>term</dt><dd>d</dd></dl><a name='n'></a><p>y"
    )
    found = {place.name: document.text[place.start :].split("\n")[0] for place in document.places}
    assert found == {"#top": "# A", "#t": "term", "#n": "y"}


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 10_000 + "deep",
        "<ul><li>" * 2_000 + "deep",
        "<table><tr><td>" * 300 + "deep",
        "<dl><dd>" * 2_000 + "deep",
        "<p><b><i>deep",
        "</p></table>deep<",
    ],
)
def test_broken_and_deep_markup_is_read(page: str) -> None:
    """However deep tags are, and whether or not they end, the text is found."""
    assert "deep" in read_html(page).text


def test_blocks_are_in_order_and_within_the_text() -> None:
    """Blocks follow one another and begin and end with what is not blank."""
    page = "<h1>A</h1><p>b<br>c</p><dl><dt>t<dd><ul><li>x<pre>y</pre></ul></dl>" * 3
    document, last = read_html(page), 0
    for block in document.blocks:
        assert block == Block(block.start, block.end, block.level, block.title, block.depth)
        assert last <= block.start < block.end <= len(document.text)
        assert document.text[block.start : block.end].strip() == document.text[block.start : block.end]
        last = block.end
