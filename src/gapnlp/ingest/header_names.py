"""Header names that people and tools give to columns, in English, Polish and Chinese (both scripts)."""

from __future__ import annotations

import re
import unicodedata

# Role -> header names, the likeliest first: where several are there, the first is taken and the others are named as
# left out. Compared after fold_header, so case, diacritics, underscores and camelCase do not matter.
HEADER_NAMES: dict[str, tuple[str, ...]] = {
    "text": (
        *("review text", "review content", "review body", "reviewtext", "comment text", "feedback text", "tweet text"),
        *(
            "message text",
            "customer comment",
            "customer feedback",
            "full text",
            "free text",
            "text",
            "review",
            "reviews",
        ),
        *("body", "comment", "comments", "feedback", "content", "verbatim", "message", "tweet", "opinion", "remark"),
        *("remarks", "description", "post"),
        *("treść opinii", "treść recenzji", "treść komentarza", "treść wiadomości", "treść zgłoszenia", "tekst opinii"),
        *("opinia", "opinie", "recenzja", "komentarz", "treść", "tekst", "wypowiedź", "uwagi", "wiadomość"),
        *("opis zgłoszenia", "opis"),
        *(
            "评论内容",
            "评价内容",
            "点评内容",
            "反馈内容",
            "留言内容",
            "评论",
            "评价",
            "点评",
            "评语",
            "用户评论",
            "反馈",
        ),
        *("意见", "留言", "正文", "文本", "内容"),
        *(
            "評論內容",
            "評價內容",
            "點評內容",
            "回饋內容",
            "留言內容",
            "評論",
            "評價",
            "點評",
            "評語",
            "顧客意見",
            "用戶評論",
        ),
        *("回饋", "意見回饋", "意見", "內容"),
    ),
    "title": (
        *("review title", "title", "headline", "subject", "summary", "tytuł opinii", "tytuł", "temat", "nagłówek"),
        *("评论标题", "标题", "主题", "評論標題", "標題", "主旨", "主題"),
    ),
    "positive": (
        *("positive review", "positive comment", "positives", "pros", "liked", "zalety", "plusy", "优点", "優點"),
    ),
    "negative": (
        *("negative review", "negative comment", "negatives", "cons", "disliked", "wady", "minusy", "缺点", "缺點"),
    ),
    "date": (
        *(
            "review date",
            "date of review",
            "date",
            "created at",
            "created",
            "created time",
            "created date",
            "date created",
        ),
        *(
            "submitted at",
            "submission date",
            "published at",
            "published date",
            "publication date",
            "posted at",
            "posted",
        ),
        *("tweet created", "timestamp", "datetime", "time", "response date", "updated at"),
        *("data wystawienia", "data opinii", "data dodania", "data utworzenia", "data publikacji", "data zgłoszenia"),
        *("data", "utworzono", "dodano", "wystawiono", "czas"),
        *(
            "评论时间",
            "评论日期",
            "评价时间",
            "评价日期",
            "点评时间",
            "发布时间",
            "发表时间",
            "创建时间",
            "日期",
            "时间",
        ),
        *(
            "評論時間",
            "評論日期",
            "評價時間",
            "評價日期",
            "點評時間",
            "發布時間",
            "發佈時間",
            "發表時間",
            "建立時間",
            "時間",
        ),
    ),
    "rating": (
        *(
            "star rating",
            "review rating",
            "review score",
            "review stars",
            "overall rating",
            "rating",
            "ratings",
            "stars",
        ),
        *("score", "satisfaction rating", "satisfaction", "csat", "nps", "overall"),
        *("ocena ogólna", "ocena", "oceny", "liczba gwiazdek", "gwiazdki", "nota", "punkty"),
        *("评分", "评论星级", "星级", "打分", "得分", "评级", "满意度", "总评", "评价", "评价等级", "情感"),
        *("評分", "評論星級", "星級", "星等", "得分", "評級", "滿意度", "總評", "評價", "評價等級"),
    ),
    "id": (
        *(
            "review id",
            "feedback id",
            "comment id",
            "ticket id",
            "tweet id",
            "response id",
            "message id",
            "case id",
            "id",
        ),
        *("id opinii", "numer opinii", "id zgłoszenia", "numer zgłoszenia", "identyfikator", "lp", "l.p.", "lp.", "nr"),
        *("评论id", "评论编号", "评价编号", "编号", "序号", "評論id", "評論編號", "評價編號", "編號", "序號"),
    ),
    "link": (
        *("review link", "review url", "permalink", "link", "url", "link do opinii", "adres opinii"),
        *("评论链接", "链接", "网址", "評論連結", "連結", "鏈接", "網址"),
    ),
    "language": (
        *(
            "review language",
            "reviewer language",
            "language",
            "language code",
            "lang",
            "locale",
            "język",
            "język opinii",
        ),
        *("语言", "语种", "語言", "語種"),
    ),
}

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s_\-:*]+")
_IN_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]\s*$")
# App Store Connect wraps each review's fields so.
_WRAPPER = "attributes."


def fold_header(name: str) -> str:
    """Reduce a header to what it says: "Treść_Opinii", "TRESC OPINII" and "treśćOpinii" are one."""
    letters = unicodedata.normalize("NFKD", name).replace("ł", "l").replace("Ł", "L")
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return _SEPARATORS.sub(" ", _CAMEL.sub(" ", plain).casefold()).strip().removeprefix(_WRAPPER)


def without_brackets(name: str) -> str:
    """Cut what a header says in brackets at its end, such as a time zone or a unit."""
    return _IN_BRACKETS.sub("", unicodedata.normalize("NFKC", name))


def in_brackets(name: str) -> str | None:
    """Return what a header says in brackets at its end: the zone of "Updated at (America/New_York)"."""
    normal = unicodedata.normalize("NFKC", name)
    found = _IN_BRACKETS.search(normal)
    return found.group().strip(" ()[]") if found else None
