"""Which facts each corpus states: by rules on the structure of its documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.retrieval.corpora import files_of
from benchmarks.retrieval.facts import DocumentFile, Fact, is_plain

__all__ = ["facts_of"]


def facts_of(corpus: str, root: Path) -> Iterator[Fact]:
    """Yield the facts of a corpus, file by file; of one that is said twice, the first alone."""
    seen: set[tuple[str, str, str]] = set()
    for path in files_of(root):
        for fact in _RULES[corpus](DocumentFile(path, root)):
            if (key := (fact.term, fact.owner, fact.aspect)) not in seen:
                seen.add(key)
                yield fact


def _first_sentence(text: str) -> str:
    match = re.match(r"(?:<[^>]+>|[^<])*?[.:](?=\s|<|\Z)", text)
    return match.group().rstrip(":") if match else ""


def _entries(text: str, start: str, end: str) -> Iterator[re.Match[str]]:
    yield from re.finditer(rf"(?s){start}(?P<body>.*?)(?={end})", text)


def _postgresql(file: DocumentFile) -> Iterator[Fact]:
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


def _pairs(file: DocumentFile, pattern: str, owner: str) -> Iterator[Fact]:
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


def _apache(file: DocumentFile) -> Iterator[Fact]:
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
            if is_plain(value):
                yield from file.fact(term, "default", value, span, body, noun="directive")
        if (module := rows.get("Module")) and file.seen(module[2]).startswith("mod_"):
            span = (entry.start("term") + len(term) + 2, offset + module.end(2))
            yield from file.fact(term, "module", file.seen(module[2]), span, body, noun="directive")
        if about := rows.get("Description"):
            span = (entry.start("term") + len(term) + 2, offset + about.end(2))
            yield from file.name(term, span, about[2], body, noun="directive")


def _git(file: DocumentFile) -> Iterator[Fact]:
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


def _texinfo(file: DocumentFile) -> Iterator[Fact]:
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


def _manuals(file: DocumentFile) -> Iterator[Fact]:
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


def _exim(file: DocumentFile) -> Iterator[Fact]:
    row = r"\n\|(?P<term>[a-z]\w+)\|Use: (?P<use>[^|]*)\|Type: (?P<type>[^|]*)\|Default: (?P<value>[^|]*)\|\n"
    for entry in _entries(file.text, row, r"\n\+-+\+\n\|[a-z]|\n\d+\. |={20}"):
        term = entry["term"]
        owner = "" if entry["use"] == "main" else entry["use"]
        more = {"noun": "option", "owner": owner}
        span = (entry.start("term"), entry.end("value"))
        if is_plain(entry["value"]):
            yield from file.fact(term, "default", entry["value"], span, entry["body"], **more)
        yield from file.fact(term, "type", entry["type"], span, entry["body"], **more)
        text = re.match(r"\+?-*\+?\n\n(.*?)\n\n", entry["body"], re.DOTALL)
        if text:
            sentence = _first_sentence(text[1])
            end = entry.start("body") + text.start(1) + len(sentence)
            yield from file.name(term, (entry.start("term"), end), sentence, entry["body"], **more)


def _gunicorn(file: DocumentFile) -> Iterator[Fact]:
    for entry in _entries(file.text, r"\n### `(?P<term>\w+)`\n", r"\n##|\Z"):
        term, body, offset = entry["term"], entry["body"], entry.start("body")
        default = re.search(r"\*\*Default:\*\* `([^`\n]+)`", body)
        if default and is_plain(default[1].strip("'\"")):
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


def _bash(file: DocumentFile) -> Iterator[Fact]:
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


def _coverage(file: DocumentFile) -> Iterator[Fact]:
    head = r"\n(?P<term>\[\w+\] \w+)\n[.]{4,}\n\n"
    for entry in _entries(file.text, head, r"\n\.\. _config|\Z"):
        body, offset = entry["body"], entry.start("body")
        default = re.match(r"\(([\w-]+), default \"?(?P<value>[^\")]+)\"?\)", body)
        if default and is_plain(default["value"]):
            span = (entry.start("term"), offset + default.end())
            yield from file.fact(entry["term"], "default", default["value"], span, body, noun="setting")
        if text := re.match(r"\([^)]*\)\s+([A-Z].*?\.)\s", body, re.DOTALL):
            span = (entry.start("term"), offset + text.end(1))
            yield from file.name(
                entry["term"], span, re.sub(r":\w+:`([^`<]*)[^`]*`", r"\1", text[1]), body, noun="setting"
            )


_RULES: dict[str, Callable[[DocumentFile], Iterator[Fact]]] = {
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
