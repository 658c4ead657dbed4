"""Details that documentation might tell of a term, and the words of which a text that tells one would hold one.

Each question has a regular expression, in which case does not matter. It is broader than the detail: where it matches
nothing that is said of the term, the detail is not told.
"""

from __future__ import annotations

__all__ = ["SEEN", "UNSEEN"]

SEEN = {
    "Who invented {term}{of}?": r"invent|author|wrote|written by|contribut|creat",
    "In which version was {term}{of} introduced?": r"version|since|release|introduc|added|new in|\d\.\d",
    "What is the largest value allowed for {term}{of}?": r"max|most|larg|limit|upper|range|betw|exceed|great|\bto \d",
    "How much memory does {term}{of} need?": r"memory|bytes?\b|[kKMG]i?B\b|\bRAM\b|buffer",
    "On which operating systems is {term}{of} not available?": r"platform|system|windows|linux|unix|solaris|macos|bsd",
    "Which port does {term}{of} use?": r"\bports?\b|socket|tcp",
    "How many seconds does {term}{of} take?": r"second|time|\bms\b|minute|slow|fast",
    "Which environment variable overrides {term}{of}?": r"environ|variable|\$|\benv\b",
}
"""Kinds of details to which abstention may have been tuned."""

UNSEEN = {
    "Whose approval is needed before {term}{of} may be changed?": (
        r"approv|consent|agree|permi|privileg|superuser|\broot\b|admin|owner|grant|\brole|rights|restrict|\bask(ed)?\b"
        r"|can (only )?be (set|changed|alter)|must not be|authori|override|trusted|review"
    ),
    "How long are the results of {term}{of} kept?": (
        r"\blong|keep|kept|retain|retention|expir|delet|remov|\bdays?\b|hours?|cach|until|forever|stor(e|ing|age)"
        r"|sav(e|ing)|permanent|temporar|session|discard|\bage\b|lifetime|persist|clean"
    ),
    "Does {term}{of} make the program slower?": (
        r"perform|slow|fast|speed|efficien|cost|expens|overhead|optimi|latenc|throughput|\bload|cheap|quick|time"
        r"|effort|memory|\bcpu\b|resource|scal(e|a|i)|delay|wast|hurt|impact"
    ),
    "What is {term}{of} called in other products?": (
        r"\blike\b|similar|equivalent|compat|same as|analog|correspond|counterpart|oracle|mysql|unix|\bgnu\b|bsd"
        r"|sendmail|nginx|\bperl|python|\bcsh|\bksh|\bsh\b|subversion|\bsvn|\bcvs|emulat|traditional|other (program|"
        r"implem|system|product)|solaris|windows|posix|iso\b|standard"
    ),
    "When will {term}{of} be removed?": (
        r"remov|deprecat|obsolet|future|will be|\bdrop|no longer|discontinu|withdraw|phase|later|next|eventual|plan"
        r"|legacy|historic|ignored|no effect|does nothing|not (used|support)|old"
    ),
    "Which standard defines {term}{of}?": (
        r"standard|\bRFC|posix|\biso\b|\bansi\b|specif|ieee|\bsus|x/?open|conform|draft|w3c|\bdefin|protocol|\bgnu\b"
        r"|extension|\bxsi|P1990"
    ),
    "How often does {term}{of} have to be renewed?": (
        r"often|\bevery|each time|period|interval|frequen|\bonce|whenever|again|repeat|regular|renew|refresh|expir"
        r"|\bdays?\b|hour|minute|second|valid|updat|rotat|lifetime|\bage\b|re-?generat|re-?new"
    ),
    "Who is told when {term}{of} changes?": (
        r"notif|\be?mail|inform|alert|\btell|\btold|signal|warn|messag|report|event|trigger|\bsend|\bsent|announc"
        r"|\blog|monitor|show|display|print|clients?\b"
    ),
    "Why was {term}{of} changed in the latest release?": (
        r"chang|because|reason|releas|version|\bfix|\bnow\b|previous|formerly|no longer|renam|improv|\badded"
        r"|\bnew\b|\bwas\b|since|used to|histor|earlier|recent|\d\.\d"
    ),
    "Which library must be installed for {term}{of} to work?": (
        r"librar|compil|\bbuilt|\bbuild|depend|requir|openssl|gnutls|\bneed|module|support|packag|install|\blink"
        r"|configur|--with|\blib\w|plugin|extension|available"
    ),
    "What happens to {term}{of} if the disk is full?": (
        r"\bdis[kc]|full|space|fail|error|exhaust|out of|storage|quota|file ?system|abort|partition|room"
    ),
    "How large must the data be before {term}{of} pays off?": (
        r"\bsize|large|\bbig|small|thresh|at least|\bmin|\bpay|benefit|useful|worth|bytes?\b|[kKMG]i?B\b|huge|many"
        r"|number of|fewer|more than|less than|long"
    ),
    "Which other settings conflict with {term}{of}?": (
        r"conflict|exclusiv|compatib|together|combin|overrid|ignor|cannot|can't|can not|instead|unless|requir|disabl"
        r"|preced|if both|not (be )?(used|allowed|valid|permitted|supported)|no effect|only|doesn't|does not|prevent"
        r"|supersed|depend|contradict|in addition|except|forbid|error"
    ),
    "Which value of {term}{of} do experts recommend?": (
        r"recommend|advis|suggest|should|sensibl|reasonabl|typical|usual|production|\bgood|ideal|\bbest|prefer|tun(e|i)"
        r"|\bsafe|normal|common|better|wise|useful|appropriate|must|never|always"
        r"|secur|ignored|no effect|deprecat|obsolet|consider|suitable|reason|avoid|not be|fine|sufficient|enough"
    ),
    "What has replaced {term}{of}?": (
        r"instead|replac|deprecat|obsolet|supersed|alternativ|prefer|recommend|rather|no longer|better|favou?r"
        r"|in place|synonym|alias|same as|equivalent|similar|see also|see the|\bor use|substitut"
        r"|can also|older|newer|remov|renam|now\b|new name|ignored|no effect"
    ),
    "How many times does {term}{of} try again before it gives up?": (
        r"retr(y|ies)|tries|\btry|attempt|again|\btimes\b|repeat|gives? up|fail|\bonce|loop|count|number of|limit|max"
    ),
    "Does {term}{of} behave differently in a container?": (
        r"\bcontainer|docker|kubern|virtual|chroot|\bjail|namespace|cgroup|cloud|podman|\bVMs?\b|sandbox|hypervisor|image"
    ),
    "Is it dangerous to use {term}{of}?": (
        r"secur|risk|danger|attack|safe|vulnerab|trust|malicious|harm|caution|careful|warn|expos|\bleak|protect"
        r"|priva|sensitiv|encrypt|password|authent|damag|corrupt|los[es]|insecure|should|beware|recommend|care\b|lost"
        r"|overwrit|destroy|never|problem|\bnot be used"
    ),
    "Which bugs are known in {term}{of}?": (
        r"\bbugs?\b|\bfix|defect|issue|problem|error|correct|\bCVE|broken|wrong|patch|workaround|work around|limitation"
        r"|does not work|fail|unreliab|incomplete|experimental|unfortunately|caveat"
    ),
    "Can two processes use {term}{of} at the same time?": (
        r"concurr|simultan|same time|\block|parallel|conflict|atomic|\brace|both|together|\btwo\b|process|wait"
        r"|thread|shar(e|i)|worker|exclusiv|multiple|several|session|connection"
    ),
    "What was {term}{of} called in the past?": (
        r"\bnamed?\b|called|renam|former|previous|\bold|earlier|legacy|alias|synonym|deprecat|known as|backward|compat"
        r"|before|histor|prior|used to|obsolet|version|same as|instead"
    ),
    "In which menu do I find {term}{of}?": (
        r"menu|graphic|\bgui\b|window|dialog|click|button|interface|screen|\bweb|browser|mouse|\btab\b|panel|keyboard"
        r"|gitk|git gui|pgadmin"
    ),
    "Does {term}{of} work without an internet connection?": (
        r"network|internet|\bonline|offline|connect|remote|server|download|fetch|\bhosts?|\burl|http|local|\bdns"
        r"|socket|client|\bweb|\bmail|address|proxy|port\b"
    ),
    "In which source file is {term}{of} implemented?": (
        r"source (file|code|tree)|implement|\.[ch]\b|\.py\b|\.pl\b|written in|module|\bsrc|github|contrib|script"
        r"|defined in|declared|header file"
    ),
}
"""Kinds of details that are asked for in the half for reports alone: nothing may be tuned to them."""
