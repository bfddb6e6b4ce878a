"""What a mail says: its subject and the beginning of its text, without headers that would give it away."""

from __future__ import annotations

import html
import re
from email import message_from_bytes, policy
from email.message import Message

MOST = 2000
"""Characters that are looked at; the encoder reads far fewer words."""
HIDDEN = re.compile(r"(?is)<(script|style|title)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>")


def text_of(mail: bytes) -> str:
    """The subject, then the first text part that has any words; HTML without its tags. Never fails."""
    message = message_from_bytes(mail, policy=policy.compat32)
    texts = (_text(part) for part in message.walk() if part.get_content_maintype() == "text")
    body = next((text for text in texts if text.strip()), "")
    return f"{_decoded(message.get('Subject', ''))}\n{body}"[:MOST]


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    text = _as_text(raw, part.get_content_charset("utf-8"))
    if part.get_content_subtype() == "html":
        text = html.unescape(HIDDEN.sub(" ", text))
    return text


def _decoded(header: object) -> str:
    """A header whose words may be encoded, as in `=?utf-8?q?caf=C3=A9?=`."""
    from email.header import decode_header

    try:
        parts = decode_header(str(header))
    except ValueError:
        return str(header)
    return "".join(_as_text(part, name or "latin-1") if isinstance(part, bytes) else part for part, name in parts)


def _as_text(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset)
    except (LookupError, ValueError):
        return raw.decode("latin-1")
