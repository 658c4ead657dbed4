"""Kinds of detail that questions ask for: how each is asked for, and what a statement that tells it holds.

The words are those of English. A kind is meant to let pass rather than to refuse:
what a statement holds may tell the detail, and what holds none of it cannot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KINDS", "NUMBER", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of detail: how it is asked for, and what a statement that tells it holds."""

    name: str
    asked: re.Pattern[str]
    told: re.Pattern[str]


def _kind(name: str, asked: str, told: str) -> Kind:
    return Kind(name, re.compile(asked, re.IGNORECASE), re.compile(told, re.IGNORECASE))


_INTERVAL = r"(?<![\d-])\d+ ?(?:-|–|\.\.+|to) ?-?\d+(?![\d-])|\brang(?:e|es|ing)\b|\bbetween\b"
_MOST = (
    r"\bmax|\bmost\b|\blarge(?:r|st)\b|\bhigh(?:er|est)\b|\bgreat(?:er|est)\b|\blong(?:er|est)\b|\bupper\b"
    r"|\bup to\b|\blimit|\b(?:not?|no) more\b|\bexceed|\b(?:less|fewer|smaller|lower) than|\bbelow\b|\bcapped\b|[<≤]"
)
_LEAST = (
    r"\bmin(?:imum|imal|imally)?\b|\bleast\b|\bsmall(?:er|est)\b|\blow(?:er|est)\b|\bshort(?:er|est)\b"
    r"|\bfewe(?:r|st)\b|\b(?:more|greater|larger|higher) than|\babove\b|\bpositive\b|\bnon-?negative\b|[>≥]"
)
_TIME = (
    r"(?:\b|\d)(?:milli|micro|nano)?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|secs?|mins?)\b"
    r"|\d ?(?:ms|s|min|h|d)\b|\btime|\bdurations?\b|\binstant|\bimmediate|\bforever\b|\bindefinite"
)
_BYTES = r"bytes?\b|\b\d+ ?[kmgt]i?b?\b|\b[kmgt]i?b\b"
NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|zero"
    r"|single|double|both|unlimited|infinite|no|any|several|once|twice)\b",
    re.IGNORECASE,
)
_QUANTITY = r"(?:\w+ )?(?:values?|numbers?|sizes?|lengths?|amounts?|counts?|limits?|duration|age|fees?|fines?|price)\b"
_SYSTEMS = (
    r"\b(?:operating )?systems?\b|\bplatforms?\b|\bwindows\b|\blinux\b|\bunix\b|\bmac ?os|\bdarwin\b|bsd\b"
    r"|\bsolaris\b|\baix\b|\bcygwin\b|\bandroid\b|\bios\b|\bdebian\b|\bubuntu\b|\bposix\b"
)
_MAKERS = (
    r"(?:invent|writ|wrote|author|creat|develop|design|maintain|contribut|found|discover|publish|implement)"
)

KINDS = (
    _kind(
        "author",
        rf"\bwho(?:m|se)?\b.*\b{_MAKERS}|\b(?:author|inventor|maintainer|creator|founder|designer)s? of\b",
        r"\binvent|\bauthors?\b|\bwrote\b|\bwritten by|\b(?:creat|develop|design|found|publish|implement)ed by"
        r"|\bcreator|\bdevelopers?\b|\bmaintain(?:ed by|er)|\bcontribut|\bfounders?\b|\bcopyright|\(c\)|©"
        r"|\bby (?-i:[A-Z][a-z]+ [A-Z][a-z]+)",
    ),
    _kind(
        "person",
        r"\bwho(?:m|se)?\b",
        r"\b(?:users?|owners?|admin\w*|superusers?|root|people|persons?|any(?:one|body)|every(?:one|body)|nobody"
        r"|someone|members?|employees?|managers?|staff|teams?|roles?|groups?|customers?|clients?|directors?"
        r"|officers?|authors?|developers?|maintainers?|operators?|callers?|visitors?|guests?|readers?|students?"
        r"|department|office|doctors?|nurses?|lead)\b|(?-i:\b(?:by|to|from|with|ask|call|notify) [A-Z])"
        r"|(?-i:[A-Z][a-z]+ [A-Z][a-z]+)",
    ),
    _kind(
        "version",
        r"\b(?:version|release)s? (?:of|was|were|is|are|did|does|do|has|introduced|added|removed)\b"
        r"|\b(?:which|what) (?:\w+ )?(?:version|release)s?\b|\bsince when\b",
        r"\bversions?\b|\breleases?\b|\bsince (?:v|\d)|\bintroduced\b|\badded\b|\bnew in\b|\bprior to\b"
        r"|\bas of\b|\bdeprecated\b|(?<![\d.])v?\d+\.\d+",
    ),
    _kind(
        "largest value",
        rf"\b(?:largest|maximum|maximal|max|highest|greatest|longest|biggest) {_QUANTITY}|\bupper (?:limit|bound)"
        r"|\bwhat (?:is|are) the (?:largest|maximum|highest|greatest|longest|biggest)\b"
        r"|\bhow (?:large|big|high) (?:can|may)\b",
        rf"{_MOST}|{_INTERVAL}",
    ),
    _kind(
        "smallest value",
        rf"\b(?:smallest|minimum|minimal|min|lowest|shortest|fewest) {_QUANTITY}|\blower (?:limit|bound)"
        r"|\bwhat (?:is|are) the (?:smallest|minimum|lowest|shortest|fewest)\b"
        r"|\bhow (?:small|short|low) (?:can|may)\b",
        rf"{_LEAST}|{_INTERVAL}",
    ),
    _kind("memory", r"\b(?:memory|ram)\b", rf"\bmemory\b|\bram\b|\bbuffers?\b|\bheap\b|{_BYTES}"),
    _kind(
        "space",
        r"\bdisk space\b|\bhow much (?:space|storage|disk)\b|\bhow (?:large|big) (?:is|are)\b|\bfile size\b",
        rf"\bspace\b|\bdisk\b|\bsizes?\b|\bstorage\b|\blarge\b|{_BYTES}",
    ),
    _kind(
        "duration",
        r"\bhow (?:many|much) (?:milli)?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|time)\b"
        r"|\bhow long\b|\bhow (?:soon|quickly)\b",
        rf"{_TIME}|\d+ (?:characters|words|pages|lines|bytes|letters|metres|meters|cm|mm)",
    ),
    _kind(
        "frequency",
        r"\bhow (?:often|frequently)\b|\bhow many times\b|\bat (?:what|which) intervals?\b",
        r"\bevery\b|\beach\b|\bonce\b|\btwice\b|\bper\b|\btimes\b|\binterval|\bdaily\b|\bweekly\b|\bmonthly\b"
        rf"|\byearly\b|\bannual|\bhourly\b|\bfrequen|\bperiod|\bregular|\balways\b|\bnever\b|{_TIME}",
    ),
    _kind(
        "date",
        r"\b(?:what|which) (?:date|year|day|month)\b|\bwhen (?:was|were|did)\b",
        r"\b(?:1[89]|20)\d\d\b|\b(?:january|february|march|april|june|july|august|september|october|november"
        r"|december)\b|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bsince\b|\bdate|\byear|\bdays?\b",
    ),
    _kind("operating system", r"\b(?:operating systems?|platforms?)\b", _SYSTEMS),
    _kind(
        "port",
        r"\b(?:what|which|tcp|udp|network)\b(?: \w+)* ports?\b",
        r"\bports?\b|\bsocket|\btcp\b|\budp\b",
    ),
    _kind(
        "environment variable",
        r"\benv(?:ironment)? var(?:iable)?s?\b",
        r"\benviron|\bvariables?\b|\$\{?\w|(?-i:\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b)",
    ),
    _kind(
        "price",
        r"\b(?:prices?|fees?|fines?|penalt(?:y|ies)|expensive|salar(?:y|ies)|wages?)\b"
        r"|\bhow much (?:is|are|money)\b|\bcosts?\b(?! of)",
        r"[$€£¥]|\d ?(?:dollars?|euros?|usd|eur|pounds?|cents?)\b|\bcosts?\b|\bprice|\bfees?\b|\bfree\b|\bcharge"
        r"|\bpaid\b|\bpay|\bdeposit|\bfines?\b|\bpenalt|%",
    ),
    _kind(
        "licence", r"\blicen[cs]es?\b", r"\blicen[cs]|\b[al]?gpl|\bmit\b|\bbsd\b|\bcopyright|\bpublic domain"
    ),
    _kind(
        "unit",
        r"\b(?:which|what) units?\b|\bunits? (?:is|are|of)\b|\bmeasured in\b",
        r"\bunits?\b|\bper ?cent|%|\bmeasured\b|\bpixels?\b|\bcharacters?\b|\bpoints?\b|\bblocks?\b|\bpages?\b"
        rf"|\bnumber of\b|{_TIME}|{_BYTES}",
    ),
    _kind(
        "type",
        r"\b(?:what|which) (?:data ?)?types?\b|\btype of\b",
        r"\btypes?\b|\bint|\bbool|\bstr|\bfloat|\breal\b|\benum|\bnum|\bdate|\btime|\blist|\barray|\bdict"
        r"|\bcallable|\bfunction|\btext\b|\bbytes?\b|\bjson|\btuple|\bnone\b|\bset\b|\bbit|\bchar|\bobject|\bpath\b",
    ),
    _kind(
        "exit status",
        r"\b(?:exit|return) (?:status|code|value)",
        r"\bexit|\breturns?\b|\bstatus\b|\bcodes?\b",
    ),
    _kind(
        "error",
        r"\b(?:which|what) (?:\w+ )?(?:error|warning|exception)s?\b|\berror (?:message|code|number)",
        r"\berrors?\b|\bmessages?\b|\bfail|\bwarn|\brais|\bthrow|\bexception|\breject|\binvalid|\babort|\brefus"
        r"|\bcomplain",
    ),
    _kind(
        "standard",
        r"\b(?:which|what) (?:\w+ )?(?:rfcs?|standards?|specifications?)\b",
        r"\brfcs?\b|\bstandard|\biso\b|\bposix\b|\bspecification|\bansi\b|\bieee\b|\bw3c\b|\bspec\b",
    ),
    _kind(
        "replacement",
        r"\b(?:what|which)\b.*\breplac(?:es?|ed|ement)\b|\b(?:instead of|successor|supersed\w*)\b",
        r"\breplac|\binstead\b|\bsuccessor|\bsupersed|\bobsolet|\bdeprecat|\bformer|\bremoved\b|\brenamed\b"
        r"|\bsynonym|\balias|\bequivalent|\bprefer",
    ),
    _kind(
        "deprecation",
        r"\bdeprecated\b|\bobsolete\b|\bwhen\b.*\bremoved\b",
        r"\bdeprecat|\bobsolet|\bremov|\blegacy\b|\bno longer\b|\bdiscourag|\bsupersed|\breplac|\bbackward",
    ),
    _kind(
        "permission",
        r"\b(?:what|which)\b(?: \w+)* (?:permission|privilege|role|right)s?\b",
        r"\bpermi|\bprivileg|\broles?\b|\bsuperuser|\broot\b|\brights?\b|\baccess|\bowner|\bonly\b|\ballow|\bgrant"
        r"|\bauthori[sz]|\bmode\b|\badmin",
    ),
    _kind(
        "bug",
        r"\bbugs?\b|\bissue number|\bcve\b|\bvulnerabilit",
        r"\bbugs?\b|\bissues?\b|\bcve\b|\bvulnerab|#\d",
    ),
    _kind(
        "contact",
        r"\be-?mail address|\b(?:tele)?phone|\bhow (?:can|do) (?:i|we) (?:contact|reach)\b",
        r"@|\be-?mail|\b(?:tele)?phone|\bcontact|\bcall\b|\bextension\b|\+\d",
    ),
    _kind(
        "address",
        r"\b(?:url|web ?(?:site|page|address)|home ?page|link)\b",
        r"https?:|www\.|\burls?\b|\bweb|\bsite\b|\blinks?\b",
    ),
    _kind(
        "share",
        r"\bper ?cent(?:age)?\b|\b(?:what|which) (?:share|fraction|proportion)\b",
        r"%|\bper ?cent|\bshare\b|\bfraction|\bproportion|\bhalf\b|\bratio\b|\b0\.\d|\bthird\b|\bquarter\b",
    ),
    _kind(
        "programming language",
        # What files are written in is the name of a format, of which there is no list.
        r"\b(?:programming|scripting) language\b|^(?!.*\bfiles?\b).*\b(?:written|implemented|coded) in\b",
        r"\bpython\b|\bperl\b|\bc\+\+|\bin c\b|\bjava|\brust\b|\bshell\b|\bsql\b|\blanguage|\bwritten in\b|\bruby\b"
        r"|\blua\b|\btcl\b",
    ),
    _kind(
        "language",
        r"\b(?:which|what) (?:natural |spoken )?languages?\b(?!.*\bfiles?\b)",
        r"\blanguage|\blocales?\b|\btranslat|\b(?:english|german|french|spanish|italian|dutch|chinese|japanese|russian"
        r"|arabic|portuguese|polish|turkish|korean|swedish|danish|greek|latin)\b|\bc\b|\bpython\b|\bsql\b",
    ),
    _kind(
        "temperature",
        r"\btemperatures?\b|\bhow (?:hot|cold|warm)\b",
        r"\bdegrees?\b|°|\btemperature|\bwarm|\bcold\b|\bcool|\bheat|\bhot\b|\bfreezing\b|\bcelsius|\d ?[CFK]\b",
    ),
    _kind(
        "speed",
        r"\bhow fast\b|\b(?:which|what)(?: is the)? (?:\w+ )?(?:speed|bandwidth|throughput)\b",
        r"\bspeed|\bbandwidth|\bthroughput|\bper second\b|/s\b|\b[kmg]?bps\b|\bfast|\bslow|\brates?\b|\bkm/h\b|\bmph\b",
    ),
    _kind(
        "weight",
        r"\bhow heavy\b|\bhow much does\b.*\bweigh|\bwhat(?: is the)? (?:\w+ )?weight\b",
        r"\bweigh|\bheav|\blight\b|\d ?(?:kg|g|mg|t|lbs?|oz)\b|\b(?:kilo)?grams?\b|\btons?\b|\bpounds?\b",
    ),
    _kind(
        "colour",
        r"\bcolou?rs?\b",
        r"\bcolou?r|\b(?:red|green|blue|yellow|orange|purple|violet|pink|brown|black|white|gr[ae]y|magenta|cyan|gold"
        r"|silver)\b",
    ),
    _kind(
        "age",
        r"\bhow old\b|\b(?:which|what) (?:is the )?(?:\w+ )?age\b",
        r"\bages?\b|\baged\b|\byears?\b|\bold(?:er)?\b|\byoung|\b(?:over|under|above|below) \w+|\badult"
        r"|\bchild|\bborn\b|\bbirth",
    ),
    _kind(
        "company",
        r"\b(?:which|what) (?:company|manufacturer|vendor|publisher|supplier|organi[sz]ation|bank)\b",
        r"\bcompan|\bmanufactur|\bvendor|\bpublish|\bsuppl|\borgani[sz]ation|\bbank|\bmade by\b|\bprovided by\b"
        r"|\b(?:inc|ltd|llc|gmbh|corp|foundation)\b",
    ),
    _kind(
        "algorithm",
        r"\b(?:algorithm|cipher|hash function)s?\b",
        r"\balgorithm|\bcipher|\bhash|\bencrypt\w* (?:with|by)\b|\bmethod|(?-i:\b[A-Z]{2,}[\d-]*\b)|\bsort|\bcompress",
    ),
    _kind(
        "signal",
        r"\b(?:which|what) signals?\b",
        r"\bsignal|(?-i:\bSIG[A-Z]+)|\bkill|\binterrupt|\balarm|\bbell\b",
    ),
    _kind(
        "file",
        r"\b(?:which|what) (?:\w+ )?(?:file|directory|folder|path)\b",
        r"\bfiles?\b|\bdirector|\bfolders?\b|\bpaths?\b|[~/\\]\w|\w\.[a-z]{1,5}\b",
    ),
)
