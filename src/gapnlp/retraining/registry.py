"""The user's own models folder: candidates are added, promoted and taken back; every state of it is kept.

    manifest.toml            which bundles serve now: the only file whose contents change, by one renaming
    releases/0001.toml ...   every manifest that ever served
    NAME-DIGEST/             a bundle; never changed once it is there
    candidates/NAME-DIGEST.toml, .json    a bundle that was trained, and what the gate said of it

Whoever reads sees the state before a promotion or the one after it, whatever is killed when.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gapnlp.classifier.bundle import BundleInfo, default_models_folder, parse_entry, read_manifest, read_verified
from gapnlp.classifier.states import CANDIDATES, MANIFEST, RELEASES, release_path, release_paths
from gapnlp.errors import Conflict, InputError, ModelError
from gapnlp.records.labels import LANGUAGES
from gapnlp.retraining.registry_files import (
    check_contents,
    drafted,
    is_draft,
    json_text,
    link_folder,
    locked,
    manifest_text,
    write_file,
    write_folder,
)
from gapnlp.retraining.trial import try_state

_OWN_LICENCE = "trained on your own tickets: see the card"
# What a manifest says of states, by their numbers.
_NUMBERS = ("state", "previous", "after")
# What a card says of a bundle in the manifest, in its order; the manifest's own keys come around them.
_FROM_CARD = ("name", "kind", "language", "quality", "base", "release", "licence")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained bundle that may be promoted.

    verdict: what the gate said; "promote" says whether it is for it. added: in UTC, ISO 8601.
    """

    info: BundleInfo
    verdict: Mapping[str, Any]
    added: str

    @property
    def wins(self) -> bool:
        """Whether the gate is for it."""
        return self.verdict.get("promote") is True


@dataclass(frozen=True, slots=True)
class State:
    """A state that the models folder was in, or is in.

    number: counted from 1. action: "open", "adopt", "promote" or "rollback". subject: the version that was promoted, or
    the number of the state that was gone back to. previous: the state that a rollback leads to. after: the state that
    served before. when: in UTC, ISO 8601. bundles: versions.
    """

    number: int
    action: str
    subject: str
    previous: int | None
    after: int | None
    when: str
    bundles: tuple[str, ...]


def open_registry(models: Path) -> None:
    """Make a models folder of the user's own: the shipped bundles are copied, or linked where the disk can do that.

    A folder with a manifest keeps what it has. Raises InputError for the shipped folder itself, ModelError when it
    cannot be written to, or holds something else.
    """
    _refuse_shipped(models)
    with locked(models):
        if (models / MANIFEST).exists():
            _record(models)
            return
        source = default_models_folder()
        for info in read_manifest(source):
            read_verified(info)
            link_folder(info.folder, models / info.folder.name, list(info.files))
        entries = _entries(source / MANIFEST)
        _switch(models, entries, {"action": "open", "subject": "the shipped bundles"}, tried=())


def add_candidate(
    models: Path, card: Mapping[str, Any], files: Mapping[str, bytes], verdict: Mapping[str, Any]
) -> BundleInfo:
    """Add a trained bundle, which serves nobody until it is promoted.

    card: becomes card.json; names the bundle (name, kind, language, release and, where it matters, quality, base,
    licence and metrics.headline). files: all others, name -> bytes. verdict: what the gate said, with "promote".
    The same card and files give the same bundle. Raises ModelError for names and formats that bundles do not have.
    """
    with locked(models):
        return _add(models, card, files, verdict)


def candidates(models: Path) -> tuple[Candidate, ...]:
    """List the candidates, the latest first. Raises ModelError that names one which cannot be read."""
    paths = [p for p in (models / CANDIDATES).glob("*.toml") if not is_draft(p)]
    found = [_read_candidate(path) for path in paths]
    return tuple(sorted(found, key=lambda c: (c.added, c.info.version), reverse=True))


def find_candidate(models: Path, version_or_name: str) -> Candidate:
    """Find a candidate by version, or the latest of a name. Raises InputError when there is none."""
    known = candidates(models)
    for candidate in known:
        if version_or_name in (candidate.info.version, candidate.info.folder.name, candidate.info.name):
            return candidate
    there = ", ".join(c.info.version for c in known) or "none"
    raise InputError(f"{version_or_name}: no such candidate in {models}; there are: {there}")


def promote(
    models: Path, version_or_name: str, *, force: bool = False, compared: Collection[str] | None = None
) -> BundleInfo:
    """Let a candidate serve, in place of the bundle of the same name.

    compared: versions of its language that the gate compared it with; where others serve by now, its verdict says
    nothing of these, and Conflict is raised. None: whatever serves.

    A candidate that the gate is against is refused; with `force` it gets a new card that says so, hence a new version.
    Every file is checked, and the new state is tried out before it serves. Raises InputError for an unknown or refused
    candidate, ModelError for one that is not as it was built or cannot be used.
    """
    _head(models)  # a folder that is no registry is not made one
    _refuse_shipped(models)
    with locked(models):
        _record(models)
        candidate = find_candidate(models, version_or_name)
        if compared is not None:
            _check_current(models, candidate.info, compared)
        if not candidate.wins:
            candidate = _forced(models, candidate, force=force)
        info = candidate.info
        current = _head(models)
        if any(b.version == info.version for b in read_manifest(models)):
            return info
        (entry,) = _entries(models / CANDIDATES / f"{info.folder.name}.toml")
        head = {"previous": current["state"], "after": current["state"], "action": "promote", "subject": info.version}
        _switch(models, _with(_entries(models / MANIFEST), entry), head, tried=(info,))
        return next(b for b in read_manifest(models) if b.name == info.name)


def rollback(models: Path) -> tuple[BundleInfo, ...]:
    """Go back to the state before the present one; again: to the one before that. Gives the bundles that serve now.

    Raises InputError when there is none before, ModelError when its bundles are not as they were.
    """
    _head(models)
    _refuse_shipped(models)
    with locked(models):
        _record(models)
        current = _head(models)
        if current.get("previous") is None:
            raise InputError(f"{models}: there is no state before this one to go back to")
        target = release_path(models, current["previous"])
        before = {b.version for b in read_manifest(models)}
        back = tuple(b for b in read_manifest(target) if b.version not in before)
        head = {"previous": _read(target).get("previous"), "after": current["state"], "action": "rollback"}
        _switch(models, _entries(target), {**head, "subject": str(current["previous"])}, tried=back)
        return read_manifest(models)


def history(models: Path) -> tuple[State, ...]:
    """List the states that the folder was in, oldest first; the last one is the present one."""
    states: list[State] = []
    number = _head(models).get("state")
    while isinstance(number, int) and release_path(models, number).exists():
        states.append(_state(release_path(models, number)))
        before = states[-1].after
        number = before if before is not None and before < number else None
    return tuple(reversed(states))


def _refuse_shipped(models: Path) -> None:
    """Raise InputError for the shipped folder: an upgrade would take away what is kept there."""
    if models.resolve() == default_models_folder().resolve():
        raise InputError(f"{models}: holds the shipped models, which stay as they are; choose another --models folder")


def _check_current(models: Path, info: BundleInfo, compared: Collection[str]) -> None:
    """Raise Conflict when others serve a language than a candidate of it was compared with."""
    serving = {b.version for b in read_manifest(models) if b.language == info.language}
    if info.version not in serving and serving != set(compared):
        raise Conflict(
            f"{info.version}: other models were promoted or taken back while it was trained, so it was not compared "
            f"with what serves now. It is kept as a candidate in {models} and not promoted; run the same command again"
        )


def _add(models: Path, card: Mapping[str, Any], files: Mapping[str, bytes], verdict: Mapping[str, Any]) -> BundleInfo:
    contents = {**files, "card.json": json_text(card)}
    (models / CANDIDATES).mkdir(exist_ok=True)
    entry = _entry(card, contents)
    where = models / CANDIDATES / f"{entry['folder']}.toml"
    added = datetime.now(UTC).isoformat(timespec="microseconds")
    check_contents(contents, entry["folder"])
    write_folder(models / entry["folder"], contents)
    write_file(where.with_suffix(".json"), json_text(verdict))
    write_file(where, manifest_text({"added": added}, [entry]))
    (info,) = read_manifest(where)
    read_verified(info)
    return info


def _entry(card: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Say of a bundle what a manifest says, its folder being its name and digest."""
    try:
        told = {key: card.get(key) for key in _FROM_CARD if key not in ("name", "kind", "language", "release")}
        told |= {key: str(card[key]) for key in ("name", "kind", "language", "release")}
        headline = (card.get("metrics") or {}).get("headline")
    except KeyError as error:
        raise ModelError(f"the card of a new bundle does not say its {error}; training has to write it") from None
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    entry = {key: told[key] for key in _FROM_CARD} | {"headline": headline, "files": files}
    entry["licence"] = entry["licence"] or _OWN_LICENCE
    entry["quality"] = entry["quality"] or "fast"
    return {**entry, "folder": f"{entry['name']}-{_digest(entry)}"}


def _digest(entry: Mapping[str, Any]) -> str:
    """Check the names of an entry as reading does, before anything is written, and give the bundle's digest."""
    return parse_entry({**entry, "folder": entry["name"]}, Path(MANIFEST)).digest


def _forced(models: Path, candidate: Candidate, *, force: bool) -> Candidate:
    """Make a new version whose card says that it was promoted against the gate."""
    info = candidate.info
    reasons = list(candidate.verdict.get("reasons", ())) or ["the gate gave no reason"]
    if not force:
        told = " ".join(reason if reason.endswith(".") else f"{reason}." for reason in reasons)
        raise InputError(f"{info.version}: the gate is against it. {told} --force promotes it all the same")
    contents = read_verified(info)
    card = json.loads(contents.pop("card.json"))
    if "forced" in card:
        return candidate
    card["forced"] = {"against_version": info.version, "reasons": reasons}
    if "CARD.md" in contents:
        told = "\n".join(f"- {reason}" for reason in reasons)
        contents["CARD.md"] += f"\n## Promoted by force\n\nThe gate was against this bundle:\n\n{told}\n".encode()
    return find_candidate(models, _add(models, card, contents, candidate.verdict).version)


def _read_candidate(path: Path) -> Candidate:
    found = read_manifest(path)
    try:
        (info,) = found
        verdict = dict(json.loads(path.with_suffix(".json").read_bytes()))
        "".join(verdict.get("reasons", []))  # sentences, or nothing that could be told
        return Candidate(info, verdict, str(_read(path).get("added", "")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        kind = type(error).__name__
        raise ModelError(f"{path}: not a candidate with its verdict ({kind}); delete the file or train again") from None


def _record(models: Path) -> None:
    """Keep the present state if it is none of the kept ones: the folder was copied, or its manifest edited by hand."""
    number = _head(models).get("state")
    kept = release_path(models, number) if isinstance(number, int) else None
    known = kept is not None and kept.exists()
    if known and kept is not None and kept.read_bytes() == (models / MANIFEST).read_bytes():
        return
    before = number if known else None
    head = {"previous": before, "after": before, "action": "adopt", "subject": "a manifest found there"}
    _switch(models, _entries(models / MANIFEST), head, tried=())


def _switch(
    models: Path, entries: Sequence[Mapping[str, Any]], head: Mapping[str, Any], *, tried: Sequence[BundleInfo]
) -> None:
    """Write a state, check every bundle and try out the new ones, then let it serve by one renaming."""
    (models / RELEASES).mkdir(exist_ok=True)
    number = max((int(path.stem) for path in release_paths(models)), default=0) + 1
    when = datetime.now(UTC).isoformat(timespec="seconds")
    content = manifest_text({"state": number, **head, "when": when}, entries)
    with drafted(release_path(models, number), content) as draft:
        for info in read_manifest(draft):
            contents = read_verified(info)
            if info.version in {t.version for t in tried}:
                check_contents(contents, info.folder.name)
                _check_card(info, contents)
        try_state(draft, [t.language for t in tried if t.language in LANGUAGES])
    write_file(models / MANIFEST, content)


def _check_card(info: BundleInfo, contents: Mapping[str, bytes]) -> None:
    """Raise ModelError when a bundle's card speaks of another bundle than the manifest does."""
    card = json.loads(contents.get("card.json", b"{}"))
    told = {key: card.get(key) for key in ("name", "kind", "language", "release")} if isinstance(card, dict) else {}
    if not told or told != {key: getattr(info, key) for key in told}:
        raise ModelError(f"{info.folder}: the card is of another bundle than the manifest says; train it again")


def _with(entries: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Put a bundle in the place of the one of its name, or at the end."""
    if any(e["name"] == entry["name"] for e in entries):
        return [entry if e["name"] == entry["name"] else e for e in entries]
    return [*entries, entry]


def _state(path: Path) -> State:
    head = _read(path)
    versions = tuple(b.version for b in read_manifest(path))
    action, subject, when = (str(head.get(key, "")) for key in ("action", "subject", "when"))
    previous, after = head.get("previous"), head.get("after")
    return State(int(path.stem), action, subject, previous, after, when, versions)


def _head(models: Path) -> dict[str, Any]:
    return _read(models / MANIFEST)


def _entries(manifest: Path) -> list[Mapping[str, Any]]:
    read_manifest(manifest)  # refuses what is not a manifest
    return list(_read(manifest)["bundle"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no manifest; pass --models a folder that holds one") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read ({type(error).__name__}); restore it from {RELEASES}/") from None
    wrong = [key for key in _NUMBERS if not isinstance(content.get(key, 1), int)]
    if wrong:
        raise ModelError(f"{path}: what it says under {wrong[0]!r} is no state's number; restore it from {RELEASES}/")
    return content
