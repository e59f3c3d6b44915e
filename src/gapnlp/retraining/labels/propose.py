"""A first mapping for the user to confirm: names and examples joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gapnlp.errors import InputError
from gapnlp.retraining.labels.examples import propose_from_examples
from gapnlp.retraining.labels.names import propose_from_names
from gapnlp.retraining.labels.proposals import LabelProposal, merge_candidates
from gapnlp.scoring.scorer import Scorer

# A file with more different labels has some other column in their place.
MOST_LABELS = 500


def propose_mapping(texts: Mapping[str, Sequence[str]], scorer: Scorer | None = None) -> tuple[LabelProposal, ...]:
    """Propose what each label means, most frequent labels first.

    texts: the user's label -> texts that carry it. scorer: the shipped bundles, or None to go by names alone.
    Raises InputError when there are no labels, or more than MOST_LABELS.
    """
    if not texts:
        raise InputError("no text carries a label; check which columns hold labels, and name them with --labels")
    if len(texts) > MOST_LABELS:
        raise InputError(
            f"there are {len(texts):,} different labels; at most {MOST_LABELS} can be mapped: is the column of labels "
            "the right one (--labels), and do its cells hold one label each (--separator)?"
        )
    names = list(texts)
    by_example = propose_from_examples(texts, scorer) if scorer is not None else {}
    found = merge_candidates(propose_from_names(names), by_example)
    proposals = (LabelProposal(name, len(texts[name]), found[name]) for name in names)
    return tuple(sorted(proposals, key=lambda p: -p.rows))
