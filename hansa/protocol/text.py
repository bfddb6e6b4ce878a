"""Text that comes from strangers (specs, tokens, RPC nodes, archives), made fit for messages and terminals; and text
that may hold our own secrets, made fit for anybody's eyes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

LONGEST = 4000  # characters; what a line shows is given less
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # Unicode's controls, formats, gaps and separators
_BLANK = re.compile(  # of other categories, yet drawn as nothing: fillers, joiners, variation selectors, empty cells
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
_MARKUP = re.compile(r"\[(?=[a-z#/@]|\Z)|\\+(?=\[|\Z)")  # what rich could read as the start, or the escape, of a tag

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # what stands for a secret where anybody may read
_URL = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)(\S+?)(?=[^\w/]*(?:\s|\Z))")
_PLACE = re.compile(r"(?:[^/?#]*@)?([\w.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)([/?#].*)?")
_SERVED = re.compile(r"/?|/metrics|/healthz")  # paths that hide nothing
_ASKED = re.compile(r"(?<=\burl: )/\S*")  # as requests and urllib3 name what they asked for
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")
_WORD = re.compile(r"[A-Z]?[a-z]{1,16}\d{0,2}|[A-Z]{1,8}|v?\d{1,4}|")
_NAMED = re.compile(r"[?&#;](?:[\w-]*[_-])?(?:api-?key|key|token|secret|auth|password|jwt)=[^\0]", re.IGNORECASE)


def escape_untrusted(text: str, most: int = LONGEST) -> str:
    """`text` with every character that can't be seen, or would be read as rich markup, as \\u{hexadecimal}.

    At most `most` characters of it, and how many there were. What it gave it leaves as it is.
    """
    cut = text if len(text) <= most else text[:most]
    seen = "".join(char if is_seen(char) else _escaped(char) for char in cut)
    safe = _MARKUP.sub(lambda found: "".join(map(_escaped, found[0])), seen)
    return safe if len(text) <= most else f"{safe}… ({len(text)} characters)"


def counted(number: int, noun: str, plural: str = "") -> str:
    """'1 update', '2 updates'; plural: where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def numbered(noun: str, numbers: Sequence[int]) -> str:
    """'round 3', 'rounds 3, 4'."""
    return f"{noun if len(numbers) == 1 else f'{noun}s'} {', '.join(map(str, numbers))}"


def ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 5 as '1–3, 5'."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)


def is_digits(text: str, most: int) -> bool:
    """Whether a text is 1 to `most` of the digits 0 to 9: `str.isdigit` takes ² too, and `int` no text without end."""
    return 0 < len(text) <= most and text.isascii() and text.isdigit()


def is_seen(char: str) -> bool:
    """Whether a character leaves ink that tells it from a space, or is the plain space."""
    category = unicodedata.category(char)
    return char == " " or not (category in UNSEEN or category == "Zs" or _BLANK.match(char))


def redact(text: str) -> str:
    """`text` with every URL in it cut to scheme, host and port: what else it has may be a password or a key."""
    return _ASKED.sub("/…", _URL.sub(lambda found: found[1] + _host(found[2]), text))


def carries_secret(url: str) -> bool:
    """Whether a URL names a user, or has what looks like a key in its path or query. Placeholders are no secrets."""
    place = PLACEHOLDER.sub("\0", url).partition("://")[2]
    user, at, rest = re.split(r"[?#]", place)[0].rpartition("@")
    name, _, password = user.partition(":")
    if (password or name).strip("\0"):
        return True
    beyond = unquote(place[len(user + at) :].removeprefix(re.split(r"[/?#]", rest)[0]))
    return bool(_NAMED.search(beyond)) or any(not _is_words(part) for part in _LONG.findall(beyond))


def _host(rest: str) -> str:
    found = _PLACE.fullmatch(rest)
    if found is None:
        return "…"
    path = found[2] or ""
    return found[1] + (path if _SERVED.fullmatch(path) else "/…")


def _is_words(part: str) -> bool:
    return all(_WORD.fullmatch(word) for word in re.split(r"[-_]", part))


def _escaped(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"
