"""The public sets that bundles learn from: where they were drawn, under which terms, and what each was used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.auxiliary import TASKS
from training.public_texts import SETS

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Source:
    """A public set: what it holds, the repositories that it was drawn from, the licence as its publisher states it."""

    content: str
    repositories: str
    licence: str = NOT_STATED


SOURCES: Mapping[str, Source] = {
    "aichallenger2018_sample": Source(
        "restaurant reviews", "brightmart/sentiment_analysis_fine_grain", "non-commercial research"
    ),
    "airbnb_albany": Source("short-term rental reviews", "rawaha-coder/Albany-Airbnb-Dashboard"),
    "airline_tweets": Source(
        "tweets to airlines", "Ramlah0/Twitter-US-Airline-Sentiment-Analysis and others", "CC BY-NC-SA 4.0 (publisher)"
    ),
    "ba_reviews": Source("airline reviews", "KateKorotova/airlines_reviews"),
    "ceneo_pl": Source(
        "product and shop reviews",
        "GlinkaG/CeneoScrapper, kingaborycka/CeneoScraper, zuzanna-f/CeneoScraper, jcebo/ceneoscraper",
    ),
    "asap_samples": Source("restaurant reviews", "Meituan-Dianping/asap", "Apache-2.0"),
    "cds_pl": Source("pairs of captions", "sdadas/polish-sentence-evaluation", "CC BY-NC-SA 4.0"),
    "chnsenticorp_hotel": Source("hotel reviews", "SophonPlus/ChineseNlpCorpus"),
    "complaints_acl19": Source(
        "tweets to brands (Preoţiuc-Pietro et al. 2019)", "danielpreotiuc/complaints-social-media"
    ),
    "eprstmt": Source("shop reviews", "CLUEbenchmark/FewCLUE"),
    "fanatics_reviews": Source("reviews of one online shop", "adaly6/Sentiment"),
    "gym_reviews": Source("gym reviews", "veronhoxha/data-wild-west"),
    "m_absa_en_zh": Source("reviews of seven domains", "swaggy66/M-ABSA", "Apache-2.0 (publisher's card)"),
    "mams_acsa": Source("restaurant sentences", "siat-nlp/MAMS-for-ABSA", "Apache-2.0"),
    "online_shopping_9_cats": Source("shop reviews", "SophonPlus/ChineseNlpCorpus"),
    "polemo_sentences": Source(
        "hotel and medical sentences (PolEmo 1.0)", "sdadas/polish-sentence-evaluation", "CC BY-SA 4.0"
    ),
    "servqual_app_reviews": Source("shopping-app reviews", "Meah01/google-play-absa-and-servqual-llm-pipeline"),
    "sick_en": Source("pairs of captions, for word alignment", "brmson/dataset-sts", "CC BY-NC-SA 3.0"),
    "sick_pl": Source("pairs of captions", "sdadas/polish-sentence-evaluation"),
    "skytrax": Source("lounge and seat reviews", "quankiquanki/skytrax-reviews-dataset", "CC0 (uploader)"),
    "taiwan_hospital_reviews": Source("hospital reviews, traditional script", "spolo0501/LDA_hospital"),
    "tripadvisor1000": Source("hotel reviews", "jniimi/tripadvisor_dataset", "Apache-2.0 (file)"),
    "waimai_10k": Source("food delivery reviews", "SophonPlus/ChineseNlpCorpus"),
}

# Sets whose texts carry gold labels or our own. Which of them have our own: `training/labels/README.md`.
LABELLED_SETS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "airbnb_albany",
        "airline_tweets",
        "ba_reviews",
        "complaints_acl19",
        "fanatics_reviews",
        "gym_reviews",
        "servqual_app_reviews",
        "skytrax",
        "tripadvisor1000",
    ),
    "pl": ("ceneo_pl", "polemo_sentences"),
    "zh": (
        "aichallenger2018_sample",
        "chnsenticorp_hotel",
        "eprstmt",
        "online_shopping_9_cats",
        "taiwan_hospital_reviews",
        "waimai_10k",
    ),
}


# Sets that word vectors were aligned on, besides the texts of `public_texts.SETS`.
_ALIGNED = {"pl": ("sick_en",), "zh": ()}


def uses(language: str, *, pretrained: bool = False) -> dict[str, str]:
    """Give what each set is used for in a language: set -> "texts with labels", "further heads", "pretraining".

    pretrained: whether the bundle's encoder was pretrained here (`training.pretraining`).
    """
    heads = {name for task in TASKS[language] for name in task.files}
    read = {x.name for x in SETS[language]} | set(_ALIGNED[language]) if pretrained else set()
    parts = {"texts with labels": set(LABELLED_SETS[language]), "further heads": heads, "pretraining": read}
    return {
        name: " and ".join(use for use, names in parts.items() if name in names)
        for name in sorted(set().union(*parts.values()))
    }
