"""The mapping file: what each of the user's labels means, in gapnlp's labels."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.records.feedback import Failure
from gapnlp.records.labels import HEADS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.groups import GROUPS, complete, expand_groups
from gapnlp.retraining.labels.named import UNSURE, WHOLE, NamedTicket

# A label that means this alone says that nothing judged holds, as "no problem" does.
NONE = "none"
EMPTY = ("unlabelled", NONE)
_KEYS = ("confirmed", "judged", "empty", "labels")


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """What the user's labels mean.

    means: the user's label -> labels of HEADS that it says to hold, or NONE alone; without any the label is ignored.
    judged: groups (keys of GROUPS) that the file judges as a whole, so that absence means False.
    empty: what a record without labels says: "unlabelled" (nothing) or "none" (none of the labels holds).
    confirmed: whether the user has read it.
    """

    means: Mapping[str, tuple[str, ...]]
    judged: tuple[str, ...] = ()
    empty: str = "unlabelled"
    confirmed: bool = False


def read_mapping(path: Path) -> LabelMapping:
    """Read a mapping file. Raises InputError that names the key which cannot be used."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); make one with `gapnlp labels map`") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path.name}: is not valid TOML ({error}); mend it or make it again") from None
    return parse_mapping(raw, where=path.name)


def parse_mapping(raw: Mapping[str, object], *, where: str) -> LabelMapping:
    """Make a mapping of a parsed file; where: how to name it in errors. Raises InputError."""
    unknown = [key for key in raw if key not in _KEYS]
    if unknown:
        raise InputError(f"{where}: {unknown[0]!r} is no setting of a mapping; there are {', '.join(_KEYS)}")
    labels = raw.get("labels")
    if not isinstance(labels, dict):
        raise InputError(f"{where}: there is no [labels] table; list each of your labels there")
    means = {name: _strings(value, where=f"{where}, label {name!r}") for name, value in labels.items()}
    for name, meant in means.items():
        if meant != (NONE,):
            _check_known(meant, HEADS, where=f"{where}, label {name!r}")
    judged = _strings(raw.get("judged", []), where=f"{where}, judged")
    _check_known(judged, tuple(GROUPS), where=f"{where}, judged")
    empty, confirmed = raw.get("empty", EMPTY[0]), raw.get("confirmed", False)
    if empty not in EMPTY:
        raise InputError(f"{where}: empty is one of {', '.join(EMPTY)}")
    if not isinstance(confirmed, bool):
        raise InputError(f"{where}: confirmed is true or false")
    return LabelMapping(means, judged, str(empty), confirmed)


def check_confirmed(mapping: LabelMapping, where: str) -> None:
    """Raise InputError when nobody has confirmed the mapping: a guess must not train a model."""
    if not mapping.confirmed:
        raise InputError(f"{where}: is not confirmed; read what each label means, then set confirmed = true")


class Mapper:
    """Applies a mapping.

    unmapped counts the labels that it does not speak of, unused those that stood on rows that say nothing by it.
    """

    def __init__(self, mapping: LabelMapping) -> None:
        self.mapping = mapping
        self.unmapped: dict[str, int] = defaultdict(int)
        self.unused: dict[str, int] = defaultdict(int)
        self._judged = expand_groups(mapping.judged)
        self._names: dict[str, list[str]] = defaultdict(list)
        for name, meant in mapping.means.items():
            for label in meant:
                self._names[label].append(name)

    def apply(self, ticket: NamedTicket) -> LabelledTicket | Failure:
        """Say what a ticket was given, or why it says nothing. A label is only ever False in a judged group."""
        result = self._apply(ticket)
        if isinstance(result, Failure):
            for name in ticket.chosen:
                self.unused[name] += 1
        return result

    def _apply(self, ticket: NamedTicket) -> LabelledTicket | Failure:
        answer = ticket.answer
        whole = answer.covers == WHOLE
        if answer.covers == UNSURE and not answer.said:
            if self.mapping.empty == EMPTY[0]:
                return _nothing(ticket, "it has no label")
            whole = True
        for name in answer.said:
            if name not in self.mapping.means:
                self.unmapped[name] += 1
        meant = {label for name in ticket.chosen for label in self.mapping.means.get(name, ())}
        if ticket.chosen and not meant:  # "cannot tell" must not become "none of them holds"
            known = all(name in self.mapping.means for name in ticket.chosen)
            return _nothing(ticket, "the mapping ignores its labels" if known else "none of its labels is mapped")
        given = complete(meant - {NONE}, self._denied(ticket, whole=whole))
        if not given:
            return _nothing(ticket, "it says nothing of a label or a judged group")
        return LabelledTicket(
            id=ticket.id,
            ticket=ticket.ticket,
            text=ticket.text,
            given=given,
            source=ticket.source,
            language=ticket.language,
            annotator=answer.annotator,
        )

    def _denied(self, ticket: NamedTicket, *, whole: bool) -> Iterable[str]:
        """List the judged labels that nothing says: all of them, or those of which every name was asked and denied."""
        if whole:
            return self._judged
        said = ticket.answer.said
        return [
            label
            for label in self._judged
            if self._names.get(label) and all(said.get(name) is False for name in self._names[label])
        ]


def _nothing(ticket: NamedTicket, reason: str) -> Failure:
    return Failure(ticket.source, "empty", reason, ticket.id)


def _strings(value: object, *, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InputError(f'{where}: give a list of words in brackets, such as ["gap:delivery"], or []')
    return tuple(dict.fromkeys(value))


def _check_known(values: Iterable[str], known: tuple[str, ...], *, where: str) -> None:
    for value in values:
        if value not in known:
            close = get_close_matches(value, known, n=3, cutoff=0.4)
            hint = f"; did you mean {', '.join(close)}?" if close else f"; there are {', '.join(known)}"
            raise InputError(f"{where}: {value!r} does not exist{hint}")
