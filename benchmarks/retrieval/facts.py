"""Facts taken from documentation by rule: a term, one thing that is said of it, and where it is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval.matching import source_text, squash, visible

__all__ = ["Fact", "facts_of"]

_VALUE = re.compile(
    r"(?:[\w/:%+~*-]|\.(?=\w))+"
    r"(?: (?:(?:milli)?seconds?|minutes?|hours?|days?|characters?|[kKMG]i?B|(?:kilo|mega)?bytes?))?"
)
_NO_VALUES = frozenset(
    [
        "a",
        "an",
        "the",
        "to",
        "that",
        "this",
        "not",
        "no",
        "none",
        "used",
        "set",
        "taken",
        "from",
        "by",
        "for",
        "same",
        "determined",
        "derived",
        "computed",
        "as",
        "if",
        "what",
        "whatever",
        "based",
        "chosen",
        "in",
        "of",
        "on-demand",
        "empty",
        "unset",
        "usually",
        "typically",
        "also",
        "depends",
        "dependent",
    ]
)
_DEFAULT = re.compile(
    r"\b(?:The default(?: value| limit)?(?: of this (?:option|setting|parameter))? is|[Dd]efaults to|the default is)"
    r"\s+((?:<[^>]+>|[^.<>(,;]|\.(?=\w))+?)\s*(?=\.(?!\w)|[,;()]|</p>|\n\n)"
)
_LONGEST_GOLD = 200  # letters and digits


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said of a term.

    Attributes:
        file: Where, within the corpus.
        term: What it is said of.
        owner: What the term is part of, such as a program or a table; empty where it stands alone.
        noun: What kind of thing the term is.
        aspect: `default`, `type`, `short form`, `module`, or `name` for a description without its name.
        value: The answer.
        description: For `name`, what the documentation says of the term.
        start_byte: First byte of the statement in the file; of a PDF, in the text taken from it.
        end_byte: Byte after the last.
        gold: The statement, squashed; there is one such text in the file.
        entry: All that is said of the term in this place, squashed to words.
    """

    file: str
    term: str
    owner: str
    noun: str
    aspect: str
    value: str
    description: str
    start_byte: int
    end_byte: int
    gold: str
    entry: str


class _File:
    """A file under reading, which knows what in it is unique."""

    def __init__(self, path: Path, root: Path) -> None:
        self.source = path.relative_to(root).as_posix()
        self.text = source_text(path)
        self.markup = path.suffix == ".html"
        self._squashed = squash(self.seen(self.text))

    def seen(self, piece: str) -> str:
        """Return a piece as a reader sees it, on one line."""
        piece = re.sub(r"\xad|-\n(?=[a-z])|\ufffe", "", piece)
        return " ".join((visible(piece) if self.markup else piece).split())

    def fact(
        self, term: str, aspect: str, value: str, span: tuple[int, int], entry: str, **more: str
    ) -> Iterator[Fact]:
        """Yield the fact where its statement, with as much of the text before as it takes, is unique."""
        start, end = span
        gold = squash(self.seen(self.text[start:end]))
        while (
            aspect == "default" and self._squashed.count(gold) > 1 and len(gold) < _LONGEST_GOLD and start > 0
        ):
            start = self._before(start)
            gold = squash(self.seen(self.text[start:end]))
        if self._squashed.count(gold) != 1 or len(gold) > 3 * _LONGEST_GOLD:
            return
        first, last = len(self.text[:start].encode()), len(self.text[:end].encode())
        yield Fact(
            file=self.source,
            term=term,
            owner=more.get("owner", ""),
            noun=more["noun"],
            aspect=aspect,
            value=value,
            description=more.get("description", ""),
            start_byte=first,
            end_byte=last,
            gold=gold,
            entry=self.seen(entry),
        )

    def defaults(self, term: str, entry: str, offset: int, **more: str) -> Iterator[Fact]:
        """Yield what an entry says to be the default, if it says one and a plain value."""
        found = [match for match in _DEFAULT.finditer(entry) if _plain(self.seen(match.group(1)))]
        if len(found) == 1:
            value = self.seen(found[0].group(1)).strip("'\"‘’“”")
            span = (offset + found[0].start(), offset + found[0].end())
            yield from self.fact(term, "default", value, span, entry, **more)

    def name(
        self, term: str, span: tuple[int, int], sentence: str, entry: str, **more: str
    ) -> Iterator[Fact]:
        """Yield the description as a question for the term, where it is long enough and does not tell."""
        description = self.seen(sentence).rstrip(".")
        told = squash(term) in squash(description)
        if 6 <= len(description.split()) <= 30 and not told:
            yield from self.fact(term, "name", term, span, entry, description=description, **more)

    def _before(self, start: int) -> int:
        """Return where the word before begins; a tag counts as part of its word."""
        match = re.compile(r"\S+\s*\Z").search(self.text, max(0, start - 400), start)
        start = match.start() if match else start - 1
        opened, closed = self.text.rfind("<", 0, start), self.text.rfind(">", 0, start)
        return opened if self.markup and opened > closed else start


def facts_of(corpus: str, root: Path) -> Iterator[Fact]:
    """Yield the facts of a corpus, file by file; of one that is said twice, the first alone."""
    seen: set[tuple[str, str, str]] = set()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            for fact in _RULES[corpus](_File(path, root)):
                if (key := (fact.term, fact.owner, fact.aspect)) not in seen:
                    seen.add(key)
                    yield fact


def _plain(value: str) -> bool:
    value = value.strip("'\"‘’“”")
    return bool(_VALUE.fullmatch(value)) and value.lower().split()[0] not in _NO_VALUES


def _first_sentence(text: str) -> str:
    match = re.match(r"(?:<[^>]+>|[^<])*?[.:](?=\s|<|\Z)", text)
    return match.group().rstrip(":") if match else ""


def _entries(text: str, start: str, end: str) -> Iterator[re.Match[str]]:
    yield from re.finditer(rf"(?s){start}(?P<body>.*?)(?={end})", text)


def _postgresql(file: _File) -> Iterator[Fact]:
    guc = r'<dt id="GUC-[^"]*"><span class="term"><code class="varname">(?P<term>\w+)</code>(?:(?!</dt>).)*</dt>'
    for entry in _entries(file.text, guc, r'<dt id="GUC|</dl>'):
        term, body = entry["term"], entry["body"]
        yield from file.defaults(term, body, entry.start("body"), noun="setting")
        if paragraph := re.match(r"\s*<dd><p>(.*?)</p>", body, re.DOTALL):
            sentence = _first_sentence(paragraph[1])
            end = entry.start("body") + paragraph.start(1) + len(sentence)
            yield from file.name(term, (entry.start("term"), end), sentence, body, noun="setting")
    table = re.match(r"(?:catalog|view)-(pg-[\w-]+)\.html", file.source)
    column = (
        r'column_definition">\s*<code class="structfield">(?P<term>\w+)</code> '
        r'<code class="type">(?P<type>[\w ]+)</code>'
    )
    for entry in _entries(file.text, column, r"</td>") if table else ():
        owner = table[1].replace("-", "_") if table else ""
        span = (entry.start("term"), entry.end())
        yield from file.fact(
            entry["term"], "type", entry["type"], span, entry.group(), noun="column", owner=owner
        )
    if program := re.match(r"app-([\w-]+)\.html", file.source):
        yield from _pairs(
            file,
            r'<dt><span class="term"><code class="option">(?P<short>-\w)\b[^\n]*?'
            r'<code class="option">(?P<long>--[\w-]+)',
            program[1].replace("-", "_").removeprefix("pgdump") or program[1],
        )


def _pairs(file: _File, pattern: str, owner: str) -> Iterator[Fact]:
    """Yield the short forms of long options, and options by what they do."""
    for entry in _entries(file.text, pattern, r"<dt|</dl>|\n\n"):
        yield from file.fact(
            entry["long"],
            "short form",
            entry["short"],
            (entry.start("short"), entry.end("long")),
            entry.group(),
            noun="option",
            owner=owner,
        )


def _apache(file: _File) -> Iterator[Fact]:
    directive = r'<div class="directive-section"><h2 id="[^"]*"><(?:span|a) id="(?P<term>\w+)"'
    for entry in _entries(file.text, directive, r'<div class="directive-section">|<div id="footer|\Z'):
        term, body, offset = entry["term"], entry["body"], entry.start("body")
        rows = {
            match[1]: match
            for match in re.finditer(
                r">(\w+):</a></th><td>(.*?)</td></tr>", body.split("</table>")[0], re.DOTALL
            )
        }
        if default := rows.get("Default"):
            value = file.seen(default[2]).removeprefix(term).strip()
            span = (offset + default.start(1), offset + default.end(2))
            if _plain(value):
                yield from file.fact(term, "default", value, span, body, noun="directive")
        if (module := rows.get("Module")) and file.seen(module[2]).startswith("mod_"):
            span = (entry.start("term") + len(term) + 2, offset + module.end(2))
            yield from file.fact(term, "module", file.seen(module[2]), span, body, noun="directive")
        if about := rows.get("Description"):
            span = (entry.start("term") + len(term) + 2, offset + about.end(2))
            yield from file.name(term, span, about[2], body, noun="directive")


def _git(file: _File) -> Iterator[Fact]:
    program = file.source.removesuffix(".html").replace("git-", "git ")
    setting = r'<dt class="hdlist1">\s*(?P<term>[a-z]\w*(?:\.\w+)+)\s*</dt>\s*<dd>'
    for entry in _entries(file.text, setting, r'</dd>\s*(?:<dt class="hdlist1">\s*[a-z]\w*\.|</dl>)'):
        term, body, offset = entry["term"], entry["body"], entry.start("body")
        yield from file.defaults(term, body, offset, noun="setting")
        if paragraph := re.match(r"\s*<p>(.*?)</p>", body, re.DOTALL):
            sentence = _first_sentence(paragraph[1])
            span = (entry.start("term"), offset + paragraph.start(1) + len(sentence))
            yield from file.name(term, span, sentence, body, noun="setting")
    yield from _pairs(
        file,
        r'<dt class="hdlist1">\s*(?P<short>-\w)\b[^\n]*\s*</dt>\s*<dt class="hdlist1">\s*(?P<long>--[\w-]+)',
        program,
    )


def _texinfo(file: _File) -> Iterator[Fact]:
    for node in re.finditer(
        r"\x1f\nFile: [^\n]*Node: (?P<node>[^,\n]*),[^\n]*\n(?P<body>[^\x1f]*)", file.text
    ):
        owner = re.match(r"(\w+) invocation", node["node"]) or _last(
            r"\n\d+ Invoking (\S+)\n", file.text[: node.end("body")]
        )
        entry = (
            r"\n(?P<short>[‘'](?:-\w)[^\n]*)?\n(?P<dashes>[‘'](?P<long>--[\w-]+)(?:[ =][^\n]*)?[’'])"
            r"\n(?P<text> {5}\S)"
        )
        for each in _entries(node["body"], entry, r"\n\n\S|\n[‘'-]|\Z"):
            offset = node.start("body")
            more = {"noun": "option", "owner": owner[1].lower() if owner else ""}
            text = each["text"] + each["body"]
            if each["short"]:
                short = re.search(r"-\w", each["short"])
                span = (
                    offset + each.start("short"),
                    offset + each.end("text") + len(_words(each["body"], 3)),
                )
                yield from file.fact(
                    each["long"], "short form", short.group() if short else "", span, text, **more
                )
            sentence = _first_sentence(text.strip())
            end = offset + each.start("text") + 5 + len(sentence)
            yield from file.name(each["long"], (offset + each.start("dashes"), end), sentence, text, **more)
            yield from file.defaults(each["long"], text, offset + each.start("text"), **more)


def _last(pattern: str, text: str) -> re.Match[str] | None:
    return next(iter(reversed(list(re.finditer(pattern, text)))), None)


def _words(text: str, count: int) -> str:
    match = re.match(rf"(?:\S*\s+){{0,{count}}}", text)
    return match.group() if match else ""


def _manuals(file: _File) -> Iterator[Fact]:
    program = file.source.split(".")[0]
    if file.source.startswith("ssh") and file.source.endswith(".5.txt"):
        for entry in _entries(file.text, r"\n {5}(?P<term>[A-Z]\w+)\n(?P<text>)", r"\n {5}\S|\n\S"):
            more = {"noun": "keyword", "owner": program}
            yield from file.defaults(entry["term"], entry["body"], entry.start("body"), **more)
            sentence = _first_sentence(entry["body"].strip())
            lead = len(entry["body"]) - len(entry["body"].lstrip())
            span = (entry.start("term"), entry.start("body") + lead + len(sentence))
            yield from file.name(entry["term"], span, sentence, entry["body"], **more)
    elif program in ("curl", "rsync"):
        pattern = r"\n {7}(?:(?P<short>-\w), )?(?P<long>--[\w-]+)(?P<rest>[^\n]*)\n(?P<text> {14}\S)"
        for entry in _entries(file.text, pattern, r"\n {7}\S|\n\S"):
            more = {"noun": "option", "owner": program}
            text = entry["text"] + entry["body"]
            short = entry["short"] or (re.findall(r"(?<=, )-\w\b", entry["rest"]) or [""])[0]
            if short:
                span = (entry.start("long") - (4 if entry["short"] else 0), entry.end("text") + 30)
                yield from file.fact(entry["long"], "short form", short, span, text, **more)
            sentence = _first_sentence(text.strip())
            span = (entry.start("long"), entry.start("text") + 14 + len(sentence))
            yield from file.name(entry["long"], span, sentence, text, **more)
            yield from file.defaults(entry["long"], text, entry.start("text"), **more)
    elif program == "signal":
        for row in re.finditer(
            r"\n {7}(?P<term>SIG\w+) +(?:P\w+|-) +(?P<value>Term|Core|Ign|Stop|Cont) +(?P<text>\S[^\n]*)",
            file.text,
        ):
            span = (row.start("term"), row.end())
            yield from file.fact(
                row["term"], "action", row["value"], span, row.group(), noun="signal", owner="signal"
            )


def _exim(file: _File) -> Iterator[Fact]:
    row = r"\n\|(?P<term>[a-z]\w+)\|Use: (?P<use>[^|]*)\|Type: (?P<type>[^|]*)\|Default: (?P<value>[^|]*)\|\n"
    for entry in _entries(file.text, row, r"\n\+-+\+\n\|[a-z]|\n\d+\. |={20}"):
        term = entry["term"]
        owner = "" if entry["use"] == "main" else entry["use"]
        more = {"noun": "option", "owner": owner}
        span = (entry.start("term"), entry.end("value"))
        if _plain(entry["value"]):
            yield from file.fact(term, "default", entry["value"], span, entry["body"], **more)
        yield from file.fact(term, "type", entry["type"], span, entry["body"], **more)
        text = re.match(r"\+?-*\+?\n\n(.*?)\n\n", entry["body"], re.DOTALL)
        if text:
            sentence = _first_sentence(text[1])
            end = entry.start("body") + text.start(1) + len(sentence)
            yield from file.name(term, (entry.start("term"), end), sentence, entry["body"], **more)


def _gunicorn(file: _File) -> Iterator[Fact]:
    for entry in _entries(file.text, r"\n### `(?P<term>\w+)`\n", r"\n##|\Z"):
        term, body, offset = entry["term"], entry["body"], entry.start("body")
        default = re.search(r"\*\*Default:\*\* `([^`\n]+)`", body)
        if default and _plain(default[1].strip("'\"")):
            span = (offset + default.start(), offset + default.end())
            yield from file.fact(term, "default", default[1].strip("'\""), span, body, noun="setting")
        option = re.search(r"\*\*Command line:\*\* `(-\w)[^`]*`, `(--[\w-]+)", body)
        if option:
            span = (offset + option.start(), offset + option.end())
            yield from file.fact(
                option[2], "short form", option[1], span, body, noun="option", owner="gunicorn"
            )
        if text := re.match(r"(?:\s*\*\*[^\n]*)*\s*([A-Z][^*`#!]*?\.)\s", body):
            span = (entry.start("term"), offset + text.start(1) + len(_first_sentence(text[1])))
            yield from file.name(term, span, _first_sentence(text[1]), body, noun="setting")


def _bash(file: _File) -> Iterator[Fact]:
    if "bashref" not in file.source:
        return
    start = file.text.rfind("Readline Init File Syntax")
    stop = file.text.find("Key Bindings", start)
    body = file.text[start:stop]
    for entry in _entries(body, r"\n(?P<term>[a-z]+(?:-[a-z]+)+)\n", r"\n[a-z]+(?:-[a-z]+)+\n|\Z"):
        offset = start + entry.start("body")
        yield from file.defaults(
            entry["term"], entry["body"] + " ", offset, noun="variable", owner="readline"
        )
        sentence = _first_sentence(entry["body"].strip())
        span = (start + entry.start("term"), offset + len(sentence))
        yield from file.name(entry["term"], span, sentence, entry["body"], noun="variable", owner="readline")
    for entry in _entries(file.text, r"\n(?P<term>[A-Z_]{4,}) (?P<text>[A-Z])", r"\n[A-Z_]{4,} |\f"):
        text = entry["text"] + entry["body"]
        sentence = _first_sentence(text)
        span = (entry.start("term"), entry.start("text") + len(sentence))
        yield from file.name(entry["term"], span, sentence, text, noun="variable")


def _coverage(file: _File) -> Iterator[Fact]:
    head = r"\n(?P<term>\[\w+\] \w+)\n[.]{4,}\n\n"
    for entry in _entries(file.text, head, r"\n\.\. _config|\Z"):
        body, offset = entry["body"], entry.start("body")
        default = re.match(r"\(([\w-]+), default \"?(?P<value>[^\")]+)\"?\)", body)
        if default and _plain(default["value"]):
            span = (entry.start("term"), offset + default.end())
            yield from file.fact(entry["term"], "default", default["value"], span, body, noun="setting")
        if text := re.match(r"\([^)]*\)\s+([A-Z].*?\.)\s", body, re.DOTALL):
            span = (entry.start("term"), offset + text.end(1))
            yield from file.name(
                entry["term"], span, re.sub(r":\w+:`([^`<]*)[^`]*`", r"\1", text[1]), body, noun="setting"
            )


_RULES: dict[str, Callable[[_File], Iterator[Fact]]] = {
    "postgresql": _postgresql,
    "apache": _apache,
    "git": _git,
    "coreutils": _texinfo,
    "gnupg": _texinfo,
    "manuals": _manuals,
    "exim": _exim,
    "gunicorn": _gunicorn,
    "bash": _bash,
    "coverage": _coverage,
}
