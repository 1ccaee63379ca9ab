"""One pass over the bytes of a file: what must be known before anything is decided about it."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20


@dataclass(frozen=True)
class Survey:
    """What the bytes of a file are.

    Attributes
    ----------
    sha256
        Digest of the file.
    n_lines
        Physical lines, whatever ends them.
    is_mixed
        Whether lines end in more than one way.
    has_nul
        Whether there is a NUL byte.
    is_utf8
        Whether all of it is UTF-8.
    """

    sha256: str
    n_lines: int
    is_mixed: bool
    has_nul: bool
    is_utf8: bool


def survey(path: Path) -> Survey:
    """Return what the bytes of a file are, read in one pass."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    lf = crlf = cr = 0
    has_nul, is_utf8, last = False, True, b"\n"
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            digest.update(chunk)
            has_nul = has_nul or b"\0" in chunk
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
            lf += chunk.count(b"\n")
            if last == b"\r" or b"\r" in chunk:
                cr += chunk.count(b"\r")
                # A line end may fall between two chunks.
                crlf += (last[-1:] + chunk).count(b"\r\n")
            last = chunk[-1:]
    is_utf8 = is_utf8 and not decoder.getstate()[0]
    ends = (lf - crlf, crlf, cr - crlf)
    is_open = last not in (b"\n", b"\r")
    return Survey(
        sha256=digest.hexdigest(),
        n_lines=sum(ends) + is_open,
        is_mixed=sum(n > 0 for n in ends) > 1,
        has_nul=has_nul,
        is_utf8=is_utf8,
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    if chunk.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def count_line_ends(data: bytes) -> int:
    """Return the number of line ends, whether LF, CRLF or CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
