"""Bundles on disk: found through the manifest, refused when changed. `loaders.py` turns their files into classifiers.

A models folder holds `manifest.toml` and one folder a bundle. The manifest lists each bundle's files with their sha256;
what does not match is refused, and so are links; no other file is read.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapnlp.classifier.states import MANIFEST, bundles_folder, manifest_path, release_paths
from gapnlp.errors import InputError, ModelError

FORMAT = 3
# Names become paths, so they are held to letters that cannot leave the models folder.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Formats that hold data alone; a pickle can run code when it is loaded.
_SAFE_ENDINGS = (".json", ".md", ".onnx", ".safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Versions are made of these, and shown in terminals, logs, metrics and on the page.
_PLAIN = ("name", "kind", "language", "release")
QUALITIES = ("fast", "balanced", "accurate")
# Kind of the bundles that stand on top of others: what a user's own tickets taught.
ADAPTER = "adapter"


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What the manifest says of one bundle.

    files: file name -> sha256. headline: on the development set, in [0, 1], None when never measured.
    quality: "fast" or "accurate" ("balanced" is a cascade of both). base: the bundle that this one builds on.
    folder: where its files are.
    """

    name: str
    kind: str
    language: str
    release: str
    licence: str
    headline: float | None
    files: Mapping[str, str]
    folder: Path
    quality: str = "fast"
    base: str | None = None

    @property
    def digest(self) -> str:
        """The first ten hexadecimal digits of a sha256 over all files' names and sha256."""
        together = "".join(f"{name}{self.files[name]}" for name in sorted(self.files))
        return hashlib.sha256(together.encode()).hexdigest()[:10]

    @property
    def version(self) -> str:
        """Name, release and digest: what predictions carry."""
        return f"{self.name}-{self.release}+{self.digest}"

    def served_version(self, quality: str) -> str:
        """Name what predictions come from: a cascade is told apart from its accurate bundle alone."""
        return f"{self.version}~balanced" if self.base and quality == "balanced" else self.version


def default_models_folder() -> Path:
    """Find the bundles: inside the installed package, or beside src/ in a working copy.

    Raises ModelError when neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parents[1] / "models"):
        if (folder / MANIFEST).is_file():
            return folder
    raise ModelError("no models folder with a manifest.toml was found; reinstall gapnlp or pass --models FOLDER")


def read_manifest(folder: Path | None = None) -> tuple[BundleInfo, ...]:
    """List the bundles of a models folder (default: the shipped one), without reading their weights.

    folder: also a kept state of one, `releases/0007.toml` (see states.py).
    Raises ModelError when the manifest cannot be read, names a file outside its folder, or lists a name twice.
    """
    folder = folder or default_models_folder()
    path = manifest_path(folder)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        bundles = tuple(parse_entry(entry, path) for entry in content["bundle"])
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no manifest; pass --models a folder that holds one") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check --models") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a manifest of bundles ({error}); rebuild the bundles or reinstall") from None
    twice = [name for name, count in Counter(b.name for b in bundles).items() if count > 1]
    if twice:
        raise ModelError(f"{path}: lists {twice[0]} more than once, so which one serves is open; it is refused")
    return bundles


def find_version(models: Path, version: str) -> BundleInfo | None:
    """Find a bundle by its version, among those of now and of all kept states; None when it is in none of them."""
    for path in (models / MANIFEST, *reversed(release_paths(models))):
        if found := next((b for b in read_manifest(path) if b.version == version), None):
            return found
    return None


def parse_entry(entry: Mapping[str, Any], path: Path) -> BundleInfo:
    """Take over what a manifest, at a path, says of one bundle.

    Raises ModelError for names that could lead out of the models folder and for formats that could run code; KeyError,
    TypeError or ValueError when something is not said, or not as it has to be.
    """
    folder = entry.get("folder", entry["name"])
    for name in (*(entry[key] for key in _PLAIN), folder, *entry["files"]):
        if not _SAFE_NAME.fullmatch(name):
            raise ModelError(f"{path}: {name!r} is not a plain name; the manifest is refused")
    _check_values(entry)
    for name in entry["files"]:
        if not name.endswith(_SAFE_ENDINGS):
            allowed = ", ".join(_SAFE_ENDINGS)
            raise ModelError(f"{path}: {name!r} is not of a format that bundles hold ({allowed}); refused")
    return BundleInfo(
        name=entry["name"],
        kind=entry["kind"],
        language=entry["language"],
        release=entry["release"],
        licence=entry["licence"],
        headline=entry.get("headline"),
        files=dict(entry["files"]),
        folder=bundles_folder(path) / folder,
        quality=entry.get("quality", "fast"),
        base=entry.get("base"),
    )


def _check_values(entry: Mapping[str, Any]) -> None:
    """Raise ValueError for a value of a kind that nothing can be done with later."""
    files, headline = entry["files"], entry.get("headline")
    if not isinstance(files, Mapping) or not all(isinstance(x, str) and _SHA256.fullmatch(x) for x in files.values()):
        raise ValueError(f"{entry['name']}: its files are not listed with a sha256 each")
    if headline is not None and (isinstance(headline, bool) or not isinstance(headline, int | float)):
        raise ValueError(f"{entry['name']}: its headline is not a number")
    if not all(isinstance(entry.get(key) or "", str) for key in ("licence", "quality", "base")):
        raise ValueError(f"{entry['name']}: licence, quality and base have to be text")


def choose_bundle(bundles: Sequence[BundleInfo], language: str, quality: str = "fast") -> BundleInfo:
    """Take the bundle that serves a language at a quality; a language with a fast bundle alone always gets that.

    Adapters are left out: they stand on top of what is taken here. Raises InputError when there is none.
    """
    found = [b for b in bundles if b.language == language and b.kind != ADAPTER]
    wanted = [b for b in found if (b.quality == "fast") == (quality == "fast")]
    if found:
        return (wanted or found)[0]
    known = ", ".join(sorted({b.language for b in bundles if b.kind != ADAPTER}))
    raise InputError(f"no bundle reads the language {language!r}; there are bundles for: {known}")


def choose_adapter(bundles: Sequence[BundleInfo], language: str) -> BundleInfo | None:
    """Take the adapter that stands on top of a language's bundles; None where there is none."""
    return next((b for b in bundles if b.language == language and b.kind == ADAPTER), None)


def read_verified(info: BundleInfo) -> dict[str, bytes]:
    """Read a bundle's files, each checked against the manifest.

    Raises ModelError that names the file which is missing or was changed.
    """
    contents: dict[str, bytes] = {}
    for name, expected in info.files.items():
        path = info.folder / name
        if info.folder.is_symlink() or path.is_symlink():
            raise ModelError(f"{path}: is a link, and may lead anywhere; put a copy of the file there")
        try:
            contents[name] = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); reinstall or rebuild the bundle") from None
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            raise ModelError(
                f"{path}: was changed after the bundle was built (sha256 differs from the manifest); "
                "reinstall or rebuild the bundle"
            )
    return contents
