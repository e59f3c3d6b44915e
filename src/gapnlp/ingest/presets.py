"""The review exports that are recognised by their headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# A rating of good or bad, without numbers.
BINARY = (0.0, 1.0)
STARS = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Preset:
    """One known export.

    signatures: sets of headers; it is recognised when all of one set are there. absent: headers that must not be
    there. roles: role -> headers, the first that is there and filled is taken. together: roles of which every header
    that is there is read. scale: lowest and highest rating. words: rating words of its own -> rating. refusal: what
    to do when it holds no text. newest_first: later files of it repeat edited items. aside: header -> why it is not
    read, where that is worth saying.
    """

    name: str
    signatures: tuple[frozenset[str], ...]
    roles: Mapping[str, tuple[str, ...]]
    absent: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    scale: tuple[float, float] | None = None
    words: Mapping[str, float] = field(default_factory=dict)
    refusal: str = ""
    newest_first: bool = False
    aside: Mapping[str, str] = field(default_factory=dict)


def _all_of(*headers: str) -> frozenset[str]:
    return frozenset(headers)


# Tried in this order; header names as each service writes them (compared after header_names.fold_header).
PRESETS: dict[str, Preset] = {
    "google_play": Preset(
        "Google Play Console",
        (_all_of("Star Rating", "Review Text"),),
        {
            "text": ("Review Text",),
            "title": ("Review Title",),
            "date": (
                "Review Last Update Date and Time",
                "Review Submit Date and Time",
                "Review Last Update Millis Since Epoch",
                "Review Submit Millis Since Epoch",
            ),
            "rating": ("Star Rating",),
            "link": ("Review Link",),
            "language": ("Reviewer Language",),
        },
        scale=STARS,
        newest_first=True,
    ),
    "trustpilot": Preset(
        "Trustpilot",
        (_all_of("Review Content", "Review Stars"),),
        {
            "text": ("Review Content",),
            "title": ("Review Title",),
            "date": ("Review Created (UTC)", "Review Created"),
            "rating": ("Review Stars",),
            "id": ("Review Id",),
            "language": ("Review Language",),
        },
        scale=STARS,
    ),
    "app_store": Preset(
        "App Store Connect API",
        (_all_of("rating", "body", "createdDate"),),
        {"text": ("body",), "title": ("title",), "date": ("createdDate",), "rating": ("rating",), "id": ("id",)},
        scale=STARS,
    ),
    "google_business": Preset(
        "Google Business Profile API",
        (_all_of("starRating", "comment"),),
        {
            "text": ("comment",),
            "date": ("updateTime", "createTime"),
            "rating": ("starRating",),
            "id": ("reviewId", "name"),
        },
        scale=STARS,
    ),
    "booking": Preset(
        "Booking.com",
        (_all_of("Positive review", "Negative review"),),
        {
            "title": ("Review title",),
            "positive": ("Positive review",),
            "negative": ("Negative review",),
            "date": ("Review date",),
            "rating": ("Review score",),
            "id": ("Reservation number",),
        },
        scale=(1.0, 10.0),
    ),
    "tripadvisor": Preset(
        "TripAdvisor API",
        (_all_of("text", "rating", "published_date"), _all_of("text", "rating", "trip_type")),
        {
            "text": ("text",),
            "title": ("title",),
            "date": ("published_date",),
            "rating": ("rating",),
            "id": ("id",),
            "link": ("url",),
            "language": ("lang",),
        },
        scale=STARS,
    ),
    "amazon": Preset(
        "Amazon",
        (_all_of("ProductId", "Score", "Summary", "Text"),),
        {"text": ("Text",), "title": ("Summary",), "date": ("Time",), "rating": ("Score",), "id": ("Id",)},
        scale=STARS,
    ),
    "zendesk": Preset(
        "Zendesk",
        (
            _all_of("subject", "description", "satisfaction_rating.score"),
            _all_of("subject", "description", "satisfaction_rating"),
            _all_of("subject", "comments[].body"),
            _all_of("subject", "description", "requester_id"),
        ),
        {
            "text": ("description", "comments[].body"),
            "title": ("subject",),
            "date": ("created_at",),
            "rating": ("satisfaction_rating.score", "satisfaction_rating"),
            "id": ("id",),
        },
        together=frozenset({"text"}),
        scale=BINARY,
        words={"good": 1, "bad": 0, "goodwithcomment": 1, "badwithcomment": 0},
    ),
    "zendesk_view": Preset(
        "Zendesk view",
        (_all_of("Subject", "Requester"), _all_of("Ticket subject", "Ticket ID")),
        {"title": ("Subject", "Ticket subject")},
        absent=_all_of("Description", "Comment", "Comments", "Body", "Text", "Summary", "Content", "Message"),
        refusal="a Zendesk view CSV holds no ticket text; export the tickets as JSON instead "
        "(Admin > Account > Reports > Export), or analyse the subjects alone with --text",
    ),
    "freshdesk": Preset(
        "Freshdesk",
        (_all_of("Ticket ID", "Subject", "Created time"),),
        {
            "text": ("Description", "Description text"),
            "title": ("Subject",),
            "date": ("Created time",),
            "rating": ("Survey results", "Survey result"),
            "id": ("Ticket ID",),
        },
        scale=BINARY,
        refusal="this Freshdesk export has no description column, which its export dialogue leaves out unless it is "
        "ticked; export again with Description, or analyse the subjects alone with --text",
    ),
    "intercom": Preset(
        "Intercom CSAT",
        (_all_of("Conversation ID", "Conversation rating"),),
        {
            "text": ("Conversation rating remark",),
            "date": ("Updated at", "Created at"),
            "rating": ("Conversation rating",),
            "id": ("Conversation ID",),
        },
        scale=STARS,
        words={"terrible": 1, "bad": 2, "ok": 3, "great": 4, "amazing": 5},
        refusal="this Intercom export has no 'Conversation rating remark' column, where customers' words are; "
        "add it to the export",
    ),
    "jira": Preset(
        "Jira Service Management",
        (_all_of("Summary", "Issue key"),),
        {
            "text": ("Description",),
            "title": ("Summary",),
            "date": ("Created",),
            "rating": ("Satisfaction rating", "Custom field (Satisfaction rating)"),
            "id": ("Issue key",),
        },
        scale=STARS,
        refusal="this Jira export has no Description column; add it to the export, or choose a column with --text",
        aside={"Comment": "mixes customers' and agents' words; --text reads it instead of the description"},
    ),
}
