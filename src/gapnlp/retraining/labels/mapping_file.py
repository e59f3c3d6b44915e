"""Proposals -> the mapping file that the user reads, edits and confirms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from gapnlp.records.labels import HEADS
from gapnlp.retraining.labels.groups import GROUPS
from gapnlp.retraining.labels.proposals import LabelProposal

_HEAD = """\
# What your labels mean to gapnlp. Read every line, correct it, then set confirmed = true.
# Nothing is trained with a mapping that is not confirmed. The numbers are a guide (0 to 1), no probabilities.
confirmed = false

# Groups that your labels judge as a whole: there, a label that is absent counts as "does not hold". Anywhere else an
# absent label says nothing. Only name a group if whoever labelled looked for all of it in every text.
# Groups: {groups}; or single labels.
# What nothing denies cannot be learnt. If whoever labelled chose among all of your labels in every text, say so:
# judged = {all_meant}
judged = {judged}

# What a text without any of your labels says: "unlabelled" (nothing), or "none" (none of the labels holds).
empty = "unlabelled"

# Your label = the labels that it says to hold. [] ignores it ("cannot tell"); ["none"] says that nothing under
# `judged` holds ("no problem"). There are:
#   {labels}
# "presence:X" says that dimension X is spoken of, for good or ill.
[labels]
"""


def write_mapping(proposals: Sequence[LabelProposal], judged: Sequence[str] = ()) -> str:
    """Write a mapping file as text, with the reason of every proposal above its line."""
    groups = ", ".join(group for group in GROUPS if group not in HEADS or group == "churn")
    meant = {label for proposal in proposals for label in proposal.proposed}
    all_meant = _array(label for label in HEADS if label in meant)
    head = _HEAD.format(groups=groups, judged=_array(judged), all_meant=all_meant, labels=_wrapped(HEADS))
    return head + "".join(_block(proposal) for proposal in proposals)


def quote(text: str) -> str:
    """Write a TOML basic string."""
    plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def _block(proposal: LabelProposal) -> str:
    lines = [f"\n# {proposal.rows:,} {'row' if proposal.rows == 1 else 'rows'}"]
    if not proposal.proposed:
        lines.append("# nothing was found that is sure enough: say what it means, or leave it empty to ignore it")
    for found in proposal.found:
        perhaps = "" if found.label in proposal.proposed else "perhaps "
        lines.append(f"# {perhaps}{found.label} {found.confidence:.2f}: {_comment(found.reason)}")
    lines.append(f"{quote(proposal.name)} = {_array(proposal.proposed)}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quote, values))}]"


def _wrapped(labels: Sequence[str]) -> str:
    rows = [", ".join(labels[i : i + 5]) for i in range(0, len(labels), 5)]
    return ",\n#   ".join(rows)
