"""What a file is, by its first bytes."""

__all__ = ["UNKNOWN", "beginning"]

UNKNOWN = "nothing lossviz knows"
BEGINNINGS = (
    (b"\x93NUMPY", "an .npy array"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
)


def beginning(head: bytes) -> str:
    """Say what a file is by its first bytes.

    >>> beginning(b'{"logits": [')
    'JSON text'
    """
    for start, words in BEGINNINGS:
        if head.startswith(start):
            return words
    text = head.lstrip(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype", b"<html")):
        return "an HTML page"
    if text.startswith((b"{", b"[")):
        return "JSON text"
    return UNKNOWN
