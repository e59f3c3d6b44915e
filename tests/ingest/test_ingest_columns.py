import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions, Table, assign_columns
from gapnlp.ingest.header_names import fold_header, in_brackets
from gapnlp.ingest.presets import PRESETS

NO_OPTIONS = ColumnOptions()


def roles_of(columns, options=NO_OPTIONS, head=()):
    assignment = assign_columns(Table("t.csv", tuple(columns), head), options)
    return {r.column: r.role for r in assignment.roles if r.role != "ignored"}, assignment


PLAY = (
    "Package Name,App Version Code,App Version Name,Reviewer Language,Device,Review Submit Date and Time,"
    "Review Submit Millis Since Epoch,Review Last Update Date and Time,Review Last Update Millis Since Epoch,"
    "Star Rating,Review Title,Review Text,Developer Reply Date and Time,Developer Reply Text,Review Link"
)
EXPORTS = {
    "google_play": (
        PLAY,
        {
            "Reviewer Language": "language",
            "Review Last Update Date and Time": "date",
            "Star Rating": "rating",
            "Review Title": "title",
            "Review Text": "text",
            "Review Link": "link",
        },
    ),
    "trustpilot": (
        "Review Id,Review Created (UTC),Review Consumer User Id,Review Username,Review User Email,Review Title,"
        "Review Content,Review Stars,Source Of Review,Reference Id,Domain Url,Webshop Name,Business Unit Id",
        {
            "Review Id": "id",
            "Review Created (UTC)": "date",
            "Review Title": "title",
            "Review Content": "text",
            "Review Stars": "rating",
        },
    ),
    "app_store": (
        "id,attributes.rating,attributes.title,attributes.body,attributes.reviewerNickname,attributes.createdDate",
        {
            "id": "id",
            "attributes.rating": "rating",
            "attributes.title": "title",
            "attributes.body": "text",
            "attributes.createdDate": "date",
        },
    ),
    "google_business": (
        "reviewId,reviewer.displayName,starRating,comment,createTime,updateTime,reviewReply.comment",
        {"reviewId": "id", "starRating": "rating", "comment": "text", "updateTime": "date"},
    ),
    "booking": (
        "Review date,Guest name,Reservation number,Review title,Positive review,Negative review,Review score,Staff,"
        "Cleanliness,Location,Facilities,Comfort,Value for money,Property reply",
        {
            "Review date": "date",
            "Reservation number": "id",
            "Review title": "title",
            "Positive review": "positive",
            "Negative review": "negative",
            "Review score": "rating",
        },
    ),
    "tripadvisor": (
        "id,lang,location_id,published_date,rating,helpful_votes,url,text,title,trip_type,travel_date,user.username",
        {
            "id": "id",
            "lang": "language",
            "published_date": "date",
            "rating": "rating",
            "url": "link",
            "text": "text",
            "title": "title",
        },
    ),
    "amazon": (
        "Id,ProductId,UserId,ProfileName,HelpfulnessNumerator,HelpfulnessDenominator,Score,Time,Summary,Text",
        {"Id": "id", "Score": "rating", "Time": "date", "Summary": "title", "Text": "text"},
    ),
    "zendesk": (
        "id,subject,description,tags,satisfaction_rating.score,created_at,comments[].body",
        {
            "id": "id",
            "subject": "title",
            "description": "text",
            "satisfaction_rating.score": "rating",
            "created_at": "date",
            "comments[].body": "text",
        },
    ),
    "freshdesk": (
        "Ticket ID,Subject,Description,Status,Priority,Source,Type,Agent,Group,Created time,Survey results",
        {
            "Ticket ID": "id",
            "Subject": "title",
            "Description": "text",
            "Created time": "date",
            "Survey results": "rating",
        },
    ),
    "intercom": (
        "Conversation ID,Updated at (America/New_York),Conversation rating,Conversation rating remark,User name",
        {
            "Conversation ID": "id",
            "Updated at (America/New_York)": "date",
            "Conversation rating": "rating",
            "Conversation rating remark": "text",
        },
    ),
    "jira": (
        "Summary,Issue key,Issue Type,Status,Created,Description,Reporter,Comment,Comment (2),Satisfaction rating",
        {
            "Summary": "title",
            "Issue key": "id",
            "Created": "date",
            "Description": "text",
            "Satisfaction rating": "rating",
        },
    ),
}


@pytest.mark.parametrize("key", EXPORTS)
def test_each_export_is_recognised_by_its_headers(key):
    header, expected = EXPORTS[key]
    roles, assignment = roles_of(header.split(","))
    assert assignment.preset is PRESETS[key]
    assert roles == expected
    assert all(r.why for r in assignment.roles)
    assert [r.column for r in assignment.roles] == header.split(",")


def test_every_preset_is_tested():
    assert set(EXPORTS) | {"zendesk_view"} == set(PRESETS)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("ID,Subject,Requester,Requested,Group", "Zendesk view"),
        ("Ticket ID,Subject,Status,Created time,Survey results", "Freshdesk"),
        ("Conversation ID,Conversation rating", "Intercom"),
        ("Summary,Issue key,Created", "Jira"),
    ],
)
def test_exports_without_texts_say_so(columns, said):
    with pytest.raises(InputError, match=said) as caught:
        roles_of(columns.split(","))
    assert "Columns: " + columns.replace(",", ", ") in str(caught.value)


def test_a_view_without_texts_is_read_when_the_user_says_so():
    roles, _ = roles_of(["ID", "Subject", "Requester"], ColumnOptions(text="subject"))
    assert roles["Subject"] == "text"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("Data wystawienia,Ocena,Treść opinii,Sklep", ["date", "rating", "text", None]),
        ("lp,tresc_opinii,JĘZYK", ["id", "text", "language"]),
        ("编号,评论时间,评分,评论内容", ["id", "date", "rating", "text"]),
        ("編號,評論時間,評分,評論內容,標題", ["id", "date", "rating", "text", "title"]),
        ("reviewText,reviewRating,createdAt", ["text", "rating", "date"]),
        ("REVIEW_TEXT,stars,Pros,Cons", ["text", "rating", "positive", "negative"]),
    ],
)
def test_usual_headers_in_three_languages(columns, expected):
    roles, assignment = roles_of(columns.split(","))
    assert assignment.preset is None
    assert [roles.get(column) for column in columns.split(",")] == expected


def test_unknown_headers_stop_with_columns_and_options():
    with pytest.raises(InputError) as caught:
        roles_of(["alpha", "beta"])
    for part in ("t.csv", "alpha, beta", "--text", "--date", "--rating", "--id", "--by", "--language"):
        assert part in str(caught.value)


def test_options_come_before_recognition():
    roles, assignment = roles_of(["Note", "text", "When"], ColumnOptions(text="Note", date="when", by="text"))
    assert roles == {"Note": "text", "When": "date", "text": "group"}
    assert assignment.columns_of("group") == ("text",)


def test_an_exact_name_wins_over_another_case():
    roles, _ = roles_of(["TEXT", "Text"], ColumnOptions(text="Text"))
    assert roles == {"Text": "text"}


def test_an_option_that_names_no_column_lists_them():
    with pytest.raises(InputError, match=r"--by 'shop'.*text, store"):
        roles_of(["text", "store"], ColumnOptions(by="shop"))


def test_one_column_cannot_be_given_two_roles():
    with pytest.raises(InputError, match="two roles"):
        roles_of(["a", "b"], ColumnOptions(text="a", date="a"))


def test_groups_may_be_made_of_a_column_with_another_role():
    _, assignment = roles_of(["text", "rating"], ColumnOptions(by="rating"))
    assert [r.role for r in assignment.roles] == ["text", "rating", "group"]


def test_the_users_text_replaces_both_booking_texts():
    roles, _ = roles_of(["Positive review", "Negative review", "Notes"], ColumnOptions(text="Notes"))
    assert roles == {"Notes": "text"}


def test_a_repeating_address_names_no_item():
    head = [["https://shop.example", f"text number {i}"] for i in range(10)]
    roles, assignment = roles_of(["url", "text"], head=head)
    assert "url" not in roles
    assert "repeat" in assignment.roles[0].why


def test_a_header_of_two_meanings_is_judged_by_its_values():
    rated = [["服务不错", "好评"], ["太慢了", "差评"], ["还行", "好评"], ["很吵", "差评"], ["干净", "好评"]]
    assert roles_of(["评论内容", "评价"], head=rated)[0] == {"评论内容": "text", "评价": "rating"}
    assert roles_of(["评价", "门店"], head=rated)[0] == {"评价": "text"}
    with pytest.raises(InputError, match="its values are ratings"):
        roles_of(["门店", "评价"], head=rated)


def test_an_empty_column_gives_way_to_a_filled_one():
    columns = PLAY.split(",")
    row = ["x"] * len(columns)
    row[columns.index("Review Last Update Date and Time")] = ""
    roles, _ = roles_of(columns, head=[row])
    assert roles["Review Submit Date and Time"] == "date"


def test_folding_of_headers():
    assert fold_header("Treść_Opinii") == fold_header("TRESC  OPINII") == fold_header("treśćOpinii")
    assert fold_header("Łóżko") == "lozko"
    assert in_brackets("Updated at (America/New_York)") == "America/New_York"
    assert in_brackets("Updated at") is None
