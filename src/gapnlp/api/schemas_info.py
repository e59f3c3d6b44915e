"""What the server can say of itself: taxonomy, models, health."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gapnlp.api.schemas import Gap, Told


class TermAnswer(Told):
    """A key of the taxonomy in words."""

    key: str = Field(examples=["delivery"])
    name: str = Field(examples=["Delivery gap"])
    explanation: str = Field(examples=["What was delivered is not what the standard says."])


class CauseAnswer(TermAnswer):
    """A cause of a gap, with the remedies that close it, best first."""

    gap: Gap = Field(examples=["delivery"])
    remedies: list[str] = Field(description="keys of remedies", examples=[["training"]])


class TaxonomyAnswer(Told):
    """What is measured, in words of one language."""

    ui: Literal["en", "pl", "zh"] = Field(examples=["en"])
    dimensions: list[TermAnswer]
    gaps: list[TermAnswer]
    causes: list[CauseAnswer]
    remedies: list[TermAnswer]
    effects: list[TermAnswer]
    expectation_sources: list[TermAnswer]
    sentiments: list[TermAnswer]
    expectations: list[TermAnswer]


class ModelAnswer(Told):
    """A bundle that texts are scored with."""

    name: str = Field(examples=["linear-en"])
    version: str = Field(description="as answers carry it", examples=["linear-en-1.0.0+5a1d67f850"])
    kind: str = Field(examples=["linear"])
    language: str = Field(description="ISO 639-1, or mul", examples=["en"])
    quality: str = Field(examples=["fast"])
    licence: str = Field(examples=["Apache-2.0"])
    headline: float | None = Field(None, description="its headline figure, in [0, 1]", examples=[0.55])


class ModelsAnswer(Told):
    """The bundles of this server."""

    quality: str = Field(description="what /classify uses", examples=["balanced"])
    outdated: bool = Field(
        description="the models folder was changed, and what is there now cannot be loaded", examples=[False]
    )
    items: list[ModelAnswer]


class Alive(Told):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str = Field(examples=["0.1.0"])
