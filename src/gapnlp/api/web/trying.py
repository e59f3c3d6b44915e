"""The box to try a text: labels with probabilities, highlighted evidence, and a plain word when the model abstains."""

from __future__ import annotations

from starlette.responses import Response

from gapnlp.api.batching import Outcome
from gapnlp.api.problems import ApiProblem
from gapnlp.api.web.quotes import scored_sentences
from gapnlp.api.web.rendering import show
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure
from gapnlp.records.labels import LANGUAGES
from gapnlp.reporting.words import Words


def try_values(visit: Visit, site: Site, **given: object) -> dict[str, object]:
    """Collect what the box shows: the text and language as given, and the result or the reason for none."""
    empty = {"text": "", "chosen": "", "analysis": None, "sentences": (), "refusal": ""}
    characters = site.settings.classify_characters
    return {"characters": characters, "text_languages": LANGUAGES, "can_try": _may(visit), **empty, **given}


def show_try(visit: Visit, site: Site) -> Response:
    """Show the box on its own page."""
    visit.need("classify")
    return show(visit, "try.html.j2", try_values(visit, site))


async def try_text(visit: Visit, site: Site) -> Response:
    """Read a text and show what the model finds; the page's script asks for the result alone."""
    visit.need("classify")
    text, language = visit.field("text"), visit.field("language")
    chosen = language if language in LANGUAGES else ""
    given = {"text": text, "chosen": chosen, **await _read(visit, site, text, chosen or None)}
    template = "try_result.html.j2" if visit.part == "result" else "try.html.j2"
    return show(visit, template, try_values(visit, site, **given), status=422 if given["refusal"] else 200)


async def _read(visit: Visit, site: Site, text: str, language: str | None) -> dict[str, object]:
    words, most = visit.words, site.settings.classify_characters
    if not text:
        return {"refusal": words.say("web.try.empty")}
    if len(text) > most:
        return {"refusal": words.say("web.try.hint", characters=words.formats.whole(most))}
    try:
        outcome = await site.read_text(text, language)
    except ApiProblem as problem:
        return {"refusal": words.say("web.try.busy" if problem.kind == "busy" else "web.error.server")}
    return _result(outcome, words)


def _result(outcome: Outcome, words: Words) -> dict[str, object]:
    if isinstance(outcome, Analysis):
        return {"refusal": "", "analysis": outcome, "sentences": scored_sentences(outcome, words)}
    return {"refusal": _refusal(outcome, words)}


def _refusal(failure: Failure, words: Words) -> str:
    if failure.kind == "unsupported":
        return words.say("web.try.unsupported", language=words.language(failure.language or "und"))
    return words.say("web.try.unreadable" if failure.kind == "empty" else "web.error.server")


def _may(visit: Visit) -> bool:
    return visit.caller is not None and visit.caller.may("classify")
