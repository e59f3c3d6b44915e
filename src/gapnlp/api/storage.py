"""Uploads that lie in a storage already: read from URLs below the prefixes that the settings allow, and no others."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from gapnlp.api.problems import ApiProblem

# What pyarrow reads, with the credentials that the server's environment has.
SCHEMES = ("s3", "gs", "abfs", "abfss", "file")
_BLOCK = 1 << 20


def check_url(url: str, prefixes: Sequence[str]) -> str:
    """Give the file's name in an allowed URL.

    Raises ApiProblem "forbidden" for any URL that does not plainly lie below an allowed prefix.
    """
    parts = urlsplit(url)
    plain = (
        url.isascii()
        and url.isprintable()
        and not set(url) & set("%?#\\@ ")
        and posixpath.normpath(parts.path) == parts.path
        and (parts.scheme != "file" or not parts.netloc)
    )
    allowed = any(url.startswith(p if p.endswith("/") else p + "/") for p in prefixes)
    if parts.scheme not in SCHEMES or not plain or not allowed:
        raise ApiProblem("forbidden", "jobs may be read from the URL prefixes in GAPNLP_STORAGE_PREFIXES alone")
    return posixpath.basename(parts.path)


def fetch(url: str, path: Path, *, prefixes: Sequence[str], most_bytes: int) -> None:
    """Copy an allowed URL's file to `path`; nothing is left there when this fails.

    A link on this machine's disk is followed only as far as the prefixes reach.
    Raises ApiProblem "too-large", "unusable-upload" or "not-ready".
    """
    try:
        source, name = fs.FileSystem.from_uri(url)
        if isinstance(source, fs.LocalFileSystem):
            name = _followed(Path(name), prefixes)
        with source.open_input_stream(name) as stream, path.open("xb") as target:
            _copy(stream, target, most_bytes)
    except FileNotFoundError:
        raise ApiProblem("unusable-upload", "there is no file at this URL") from None
    except (OSError, pa.ArrowException) as error:
        path.unlink(missing_ok=True)
        raise ApiProblem("unusable-upload", f"the file at this URL cannot be read ({type(error).__name__})") from None
    except ApiProblem:
        path.unlink(missing_ok=True)
        raise


def _followed(path: Path, prefixes: Sequence[str]) -> str:
    real = path.resolve(strict=True)
    folders = [Path(urlsplit(p).path).resolve() for p in prefixes if urlsplit(p).scheme == "file"]
    if not any(real.is_relative_to(folder) for folder in folders):
        raise ApiProblem("forbidden", "this file lies outside of GAPNLP_STORAGE_PREFIXES")
    return str(real)


def _copy(stream: pa.NativeFile, target: BinaryIO, most_bytes: int) -> None:
    size = 0
    while block := stream.read(_BLOCK):
        size += len(block)
        if size > most_bytes:
            raise ApiProblem("too-large", f"the file at this URL is larger than {most_bytes:,} bytes; split it")
        target.write(block)
