import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.text.redact import redact

# Where the numbers come from:
# PESEL 44051401359: Polish Wikipedia, article "PESEL"; 02070803628: gov.pl, "Czym jest numer PESEL".
PESELS = ["44051401359", "02070803628"]
# GB 11643-1999, the standard's own two examples.
RESIDENT_IDS = ["11010519491231002X", "440524188001010014"]
# Test cards published by Visa, Mastercard, American Express, Diners Club, Discover, JCB and UnionPay (list by Stripe).
CARDS = [
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3566002020360505",
    "6200000000000005",
]
# SWIFT's IBAN registry, the example of each country.
IBANS = ["PL61109010140000071219812874", "GB29NWBK60161331926819", "DE89370400440532013000", "DK5000400440116243"]


def is_redacted(number, before="my number ", after=" ok"):
    text, count = redact(before + number + after)
    assert len(text) == len(before + number + after)
    return (text, count) == (before + "█" * len(number) + after, 1)


@pytest.mark.parametrize("number", [*PESELS, *RESIDENT_IDS, *CARDS, *IBANS, "11010519491231002x"])
def test_published_examples_are_found(number):
    assert is_redacted(number)
    assert is_redacted(number, "号码", "，谢谢")


def _other_digits(number):
    for place, old in enumerate(number):
        if old.isdigit():
            for new in "0123456789":
                if new != old:
                    yield number[:place] + new + number[place + 1 :]


def _official_pesel(number):
    """Weights 1 3 7 9 repeated, sum with the check digit divisible by 10 (regulation on the PESEL register)."""
    return sum(int(d) * w for d, w in zip(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True)) % 10 == 0


def _official_resident(number):
    """ISO 7064 MOD 11-2 as GB 11643 tabulates it: weights 2^(18-i) mod 11, check characters 10X98765432."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[17]


def test_a_changed_digit_keeps_a_resident_id_in():
    for wrong in _other_digits(RESIDENT_IDS[0]):
        assert not _official_resident(wrong)
        assert redact(f"id {wrong} x")[1] == 0


def test_a_changed_digit_keeps_a_pesel_in():
    # 11 digits may still be a Chinese mobile or a national telephone number, so an order's number is said to be one.
    for wrong in _other_digits(PESELS[0]):
        assert not _official_pesel(wrong)
        assert redact(f"order {wrong} x")[1] == 0
    assert redact(f"order {PESELS[0]} x")[1] == 1


@pytest.mark.parametrize("number", [*CARDS[:4], IBANS[0], IBANS[1]])
def test_a_changed_digit_keeps_a_card_or_account_in(number):
    found = [wrong for wrong in _other_digits(number) if redact(f"order {wrong} x")[1]]
    assert found == []


def test_impossible_dates_are_no_ids():
    body = "1101051949133100"
    fitting = [f"{body}{d}{c}" for d in "0123456789" for c in "0123456789X" if _official_resident(f"{body}{d}{c}")]
    assert fitting
    assert all(redact(f"order {n}")[1] == 0 for n in fitting)
    wrong_day = [f"4405320135{d}" for d in "0123456789" if _official_pesel(f"4405320135{d}")]
    assert all(redact(f"order {n}")[1] == 0 for n in wrong_day)


@pytest.mark.parametrize(
    "number",
    [
        "+48 601 234 567",
        "601 234 567",
        "601-234-567",
        "601234567",
        "(22) 345 67 89",
        "0048 601 234 567",
        "13812345678",
        "+86 138 1234 5678",
        "138-1234-5678",
        "010-62345678",
        "+1 212 456 7890",
        "(212) 456-7890",
        "020 7946 0018",
        "+44 20 7946 0018",
        "4242 4242 4242 4242",
        "3782-822463-10005",
        "61 1090 1014 0000 0712 1981 2874",
        "PL61 1090 1014 0000 0712 1981 2874",
        "jan.kowalski+shop@mail.example.com",
    ],
)
def test_forms_people_write(number):
    assert is_redacted(number, "write to ", ", please")


@pytest.mark.parametrize(
    "text",
    [
        "order 123456789",
        "zamówienie nr 601234567",
        "订单号 13812345678",
        "price 123 456 789 zł",
        "it cost 1,234,567.00 PLN",
        "on 2025-01-02 at 12:30",
        "from 12.03.2024 to 15.03.2024",
        "flight LO1234, 12/03/2024 10:30-12:45, seat 12A",
        "parcel 4500123456 and 98765432109876",
        "scores 87 63 1 2 3 4 5",
        "years 2019 2020 2021",
        "card 4242 4242 4242 4241",
        "name@home is no address, @shop neither",
        "",
    ],
)
def test_other_numbers_stay(text):
    assert redact(text) == (text, 0)


def test_many_in_one_text():
    text, count = redact("a@b.example or +48 601 234 567, PESEL 44051401359.")
    assert count == 3
    assert text == "███████████ or ███████████████, PESEL ███████████."


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="0123456789 +-()PLx@.好", max_size=120))
def test_length_and_everything_else_stay(text):
    result, count = redact(text)
    assert len(result) == len(text)
    assert all(new in (old, "█") for new, old in zip(result, text, strict=True))
    assert (count > 0) == (result != text)
