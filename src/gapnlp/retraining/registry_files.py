"""Files of a models folder as they are written: whole or not at all, on the disk itself, one writer at a time."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from gapnlp.classifier.encoder import check_self_contained
from gapnlp.errors import ModelError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCK, _TRAINING = ".lock", ".training.lock"
# Folders and files that a killed writer left have names that begin like this; nobody reads them.
_DRAFT = ".draft-"
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755
# A model in protocol buffers begins with the number of its format; nothing else that is dressed up as one does.
_ONNX_START = b"\x08"


@contextmanager
def locked(models: Path) -> Iterator[None]:
    """Be the only writer of a models folder, which is made if missing; others wait. The lock ends with the process.

    Raises ModelError when the folder cannot be written to.
    """
    handle = _open_lock(models, _LOCK)
    try:
        _lock(handle)
        _drop_drafts(models)
        yield
    except OSError as error:
        raise ModelError(f"{models}: cannot be written to ({error.strerror}); check space and permissions") from None
    finally:
        os.close(handle)


@contextmanager
def only_trainer(models: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Be the only one that trains in a models folder; others may promote meanwhile. The lock ends with the process.

    waits: called before waiting. Two trainings at once would write the same pieces, and each would change under the
    other what it goes on from and is compared with.
    Raises ModelError when the folder cannot be written to.
    """
    handle = _open_lock(models, _TRAINING)
    try:
        if not _lock(handle, waiting=False):
            waits()
            _lock(handle)
        yield
    finally:
        os.close(handle)


def write_file(path: Path, content: bytes) -> None:
    """Write a file by one renaming: whoever reads sees the old one or the new one."""
    with drafted(path, content):
        pass


@contextmanager
def drafted(path: Path, content: bytes) -> Iterator[Path]:
    """Write a file under a draft's name, which gets its own once the block has passed; else it is removed."""
    draft = path.with_name(_DRAFT + path.name)
    _write(draft, content)
    try:
        yield draft
    except BaseException:
        draft.unlink()
        raise
    os.replace(draft, path)
    _flush(path.parent)


def is_draft(path: Path) -> bool:
    """Tell what a writer has not finished."""
    return path.name.startswith(_DRAFT)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files by one renaming. What is there already stays: the caller checks it."""
    if folder.exists():
        return
    draft = _draft_folder(folder.parent)
    for name, content in files.items():
        _write(draft / name, content)
    _finish(draft, folder)


def link_folder(source: Path, folder: Path, names: Sequence[str]) -> None:
    """Copy files into a new folder by one renaming, without taking disk space again where the disk allows it."""
    if folder.exists():
        return
    draft = _draft_folder(folder.parent)
    for name in names:
        try:
            os.link(source / name, draft / name)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source / name, draft / name)
    _finish(draft, folder)


def check_contents(files: Mapping[str, bytes], where: str) -> None:
    """Raise ModelError when a file is not of the format that its name promises, such as a pickle in disguise."""
    for name, content in files.items():
        try:
            _check(name, content)
        except (ValueError, RecursionError, SafetensorError) as error:
            kind = type(error).__name__
            raise ModelError(f"{where}: {name} is not what its name says ({kind}); the bundle is refused") from None


def manifest_text(head: Mapping[str, Any], bundles: Sequence[Mapping[str, Any]]) -> bytes:
    """Write a manifest as TOML. head: what is said before the bundles. None is left out."""
    lines = ["# Written by gapnlp; a file that does not match its sha256 is refused.", *_pairs(head)]
    for entry in bundles:
        lines += ["", "[[bundle]]", *_pairs({k: v for k, v in entry.items() if k != "files"}), "[bundle.files]"]
        lines += _pairs(dict(sorted(entry["files"].items())))
    return ("\n".join(lines) + "\n").encode()


def json_text(content: Any) -> bytes:
    """Write JSON for people and programs; the same content gives the same bytes."""
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _check(name: str, content: bytes) -> None:
    ending = name.rpartition(".")[2]
    if ending == "json":
        json.loads(content)
    elif ending == "md":
        content.decode()
    elif ending == "safetensors":
        load_tensors(content)
    elif not content.startswith(_ONNX_START):
        raise ValueError("no such format")
    else:
        check_self_contained(content)


def _pairs(content: Mapping[str, Any]) -> list[str]:
    return [f"{_quoted(key)} = {_value(value)}" for key, value in content.items() if value is not None]


def _quoted(key: str) -> str:
    return key if key.isascii() and key.isidentifier() else _value(key)


def _value(value: Any) -> str:
    # JSON's strings, numbers, true and false, and lists of them are TOML's, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _open_lock(models: Path, name: str) -> int:
    try:
        models.mkdir(parents=True, exist_ok=True)
        return os.open(models / name, os.O_RDWR | os.O_CREAT, _FILE_MODE)
    except OSError as error:
        raise ModelError(f"{models}: cannot be written to ({error.strerror}); choose another --models folder") from None


def _lock(handle: int, *, waiting: bool = True) -> bool:
    """Take a lock; without waiting, say whether it was free."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_LOCK if waiting else msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX if waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if waiting:
            raise
        return False
    return True


def _drop_drafts(models: Path) -> None:
    for draft in models.glob(f"**/{_DRAFT}*"):
        shutil.rmtree(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink(missing_ok=True)


def _draft_folder(parent: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_DRAFT, dir=parent))


def _finish(draft: Path, folder: Path) -> None:
    draft.chmod(_FOLDER_MODE)
    _flush(draft)
    os.rename(draft, folder)
    _flush(folder.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(_FILE_MODE)


def _flush(folder: Path) -> None:
    """Have a folder's names on the disk itself, where the system can do that."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
