"""Text that comes from strangers (specs, tokens, RPC nodes, archives), made fit for messages and terminals."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 4000  # characters; what a line shows is given less
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # Unicode's controls, formats, gaps and separators
_MARKUP = re.compile(r"\[(?=[a-z#/@]|\Z)|\\+(?=\[|\Z)")  # what rich could read as the start, or the escape, of a tag


def escape_untrusted(text: str, most: int = LONGEST) -> str:
    """`text` with every character that can't be seen, or would be read as rich markup, as \\u{hexadecimal}.

    At most `most` characters of it, and how many there were. What it gave it leaves as it is.
    """
    cut = text if len(text) <= most else text[:most]
    seen = "".join(_escaped(char) if unicodedata.category(char) in UNSEEN else char for char in cut)
    safe = _MARKUP.sub(lambda found: "".join(map(_escaped, found[0])), seen)
    return safe if len(text) <= most else f"{safe}… ({len(text)} characters)"


def _escaped(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"
