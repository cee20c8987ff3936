"""What cells hold, and what becomes of it: dress comes off, what was destroyed or would be a guess is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.people.intake.cleaned import Cleaned, Fault
from engine.people.intake.columns import COLUMNS
from engine.people.intake.fields import clean_cell
from rules.regions import regions

SPELLED = [
    ("owner_name", "SUTRISNO,  S.Pd.", "SUTRISNO, S.Pd."),
    ("owner_name", "D'Arcy Ni’mah", "D'Arcy Ni’mah"),
    ("owner_name", "'Aisyah", "'Aisyah"),
    ("owner_name", "Bu\u00a0Sri\u200b", "Bu Sri"),
    ("national_id", "'3516055207614007", "3516055207614007"),
    ("national_id", "3573102912898260\u00a0", "3573102912898260"),
    ("national_id", "\u200b3573 1029 1289 8260", "3573102912898260"),
    ("national_id", "357310.291289.8260", "3573102912898260"),
    ("national_id", '="3573102912898260"', "3573102912898260"),
    ("national_id", "３５７３１０２９１２８９８２６０", "3573102912898260"),
    ("national_id", "3508162902006220", "3508162902006220"),
    ("tax_id", "01.312.166.0-091.000", "013121660091000"),
    ("tax_id", "3508166904956220", "3508166904956220"),
    ("tax_id", "0013121660091000000000", "0013121660091000000000"),
    ("tax_id", "-", None),
    ("tax_id", "", None),
    ("phone", "081234567890", "+6281234567890"),
    ("phone", "+62 812-3456-7890", "+6281234567890"),
    ("phone", "62812 3456 7890", "+6281234567890"),
    ("phone", "812.3456.7890", "+6281234567890"),
    ("phone", "(0812) 3456 7890", "+6281234567890"),
    ("phone", "+62 (0)812–3456–7890", "+6281234567890"),
    ("phone", "0062 812 3456 7890", "+6281234567890"),
    ("phone", "WA: 0812/3456/7890", "+6281234567890"),
    ("phone", "081234567890.0", "+6281234567890"),
    ("phone", "(031) 5678901", "+62315678901"),
    ("phone", "081234567890 / 085712345678", "+6281234567890"),
    ("phone", "", None),
    ("email", " sri@Contoh.Example ", "sri@contoh.example"),
    ("email", "mailto:sri@contoh.example", "sri@contoh.example"),
    ("email", "sri@contoh.example; budi@contoh.example", "sri@contoh.example"),
    ("email", "tidak ada", None),
    ("region_code", "35.78", "3578"),
    ("region_code", "'3578", "3578"),
    ("region_code", "35.78.01", "3578"),
    ("region_code", "3578 - Kota Surabaya", "3578"),
    ("industry_code", "'10794", "10794"),
    ("industry_code", "10.794", "10794"),
    ("industry_code", "KBLI 10794 - Kerupuk", "10794"),
    ("industry_code", "01111", "01111"),
    ("industry_code_version", "KBLI 2025", "2025"),
    ("cluster", "Makanan ", "makanan"),
    ("capital_rupiah", "Rp 1.500.000", 1_500_000),
    ("capital_rupiah", "Rp\u00a01.500.000,00", 1_500_000),
    ("capital_rupiah", "Rp. 1.500.000,-", 1_500_000),
    ("capital_rupiah", "IDR 1,500,000.00", 1_500_000),
    ("capital_rupiah", "1500000.00", 1_500_000),
    ("capital_rupiah", "1 500 000", 1_500_000),
    ("capital_rupiah", "1.500", 1_500),
    ("capital_rupiah", "0", 0),
    ("annual_sales_rupiah", "25.000.000", 25_000_000),
    ("existing_nib", "'9120202312345", "9120202312345"),
    ("existing_nib", "9120 2023 12345", "9120202312345"),
    ("existing_nib", "belum ada", None),
]


@pytest.mark.parametrize(("column", "raw", "value"), SPELLED)
def test_a_cell_is_understood_in_every_spelling(column: str, raw: str, value: Any) -> None:
    """Apostrophes, odd spaces, points, dashes and labels are dress; the value below is what counts."""
    cleaned = clean_cell(column, raw)
    assert isinstance(cleaned, Cleaned), cleaned
    assert cleaned.value == value


REFUSED = [
    ("owner_name", "  "),
    ("owner_name", "\u200b"),
    ("owner_name", "12345"),
    ("business_name", "-"),
    ("national_id", ""),
    ("national_id", "3,57801E+15"),
    ("national_id", "3.57801452139709E+15"),
    ("national_id", "351314420170690"),
    ("national_id", "35181123030118391"),
    ("national_id", "3520182404830000"),
    ("national_id", "3512113509745447"),
    ("national_id", "3578145213970895"),
    ("national_id", "3577153002776279"),
    ("national_id", "3577152902016279"),
    ("national_id", "9977151202776279"),
    ("national_id", "3577151202776270.0"),
    ("tax_id", "12345678901234"),
    ("tax_id", "3,57801E+15"),
    ("phone", "12345"),
    ("phone", "8,1123E+10"),
    ("phone", "O81234567890"),
    ("phone", "3508166904956220"),
    ("email", "ani@@contoh"),
    ("email", "ani@contoh"),
    ("email", "sri,780@contoh.example"),
    ("region_code", "3599"),
    ("region_code", "3201"),
    ("region_code", "35"),
    ("region_code", "35.1"),
    ("region_code", "Malang"),
    ("region_code", "3578 Kota Batu"),
    ("industry_code", "1079"),
    ("industry_code", "ABCDE"),
    ("industry_code", "107941"),
    ("industry_code_version", "2017"),
    ("industry_code_version", ""),
    ("capital_rupiah", "banyak"),
    ("capital_rupiah", "-5"),
    ("capital_rupiah", "(5.000)"),
    ("capital_rupiah", "1,5 juta"),
    ("capital_rupiah", "2 M"),
    ("capital_rupiah", "500rb"),
    ("capital_rupiah", "1.5"),
    ("capital_rupiah", "1500.000"),
    ("capital_rupiah", "1.500.00"),
    ("capital_rupiah", "1,5E+09"),
    ("capital_rupiah", "99999999999999999999"),
    ("capital_rupiah", ""),
    ("existing_nib", "91202023"),
    ("existing_nib", "9,12E+12"),
]


@pytest.mark.parametrize(("column", "raw"), REFUSED)
def test_what_would_be_a_guess_is_refused_with_a_reason_in_both_languages(column: str, raw: str) -> None:
    """The reason tells what is wrong and what to do: two sentences at least, and no personal number in full."""
    fault = clean_cell(column, raw)
    assert isinstance(fault, Fault), fault
    assert fault.reason_id.count(". ") >= 1 or fault.reason_id.count("; ") >= 1
    assert fault.reason_en != fault.reason_id
    if len(raw) > 12:
        assert raw not in fault.reason_id + fault.reason_en


@pytest.mark.parametrize(
    ("column", "raw"),
    [
        ("national_id", "3273166904956220"),
        ("phone", ""),
        ("phone", "(031) 5678901"),
        ("phone", "+60 12-345 6789"),
        ("region_code", "35.78.01.1001"),
        ("industry_code", "00000"),
        ("tax_id", "00.000.000.0-000.000"),
        ("address", ""),
    ],
)
def test_what_is_odd_but_allowed_is_taken_with_a_word_of_caution(column: str, raw: str) -> None:
    """Somebody born in Bandung may have a business in Surabaya."""
    cleaned = clean_cell(column, raw)
    assert isinstance(cleaned, Cleaned)
    assert cleaned.caution and cleaned.caution_en


def test_the_38_regions_are_taken_and_no_other_of_the_province() -> None:
    """29 regencies and 9 cities; seven names are both."""
    taken = [
        f"35{number:02d}" for number in range(100) if isinstance(clean_cell("region_code", f"35{number:02d}"), Cleaned)
    ]
    assert taken == sorted(regions())
    assert len(taken) == 38


@given(st.sampled_from(COLUMNS), st.text())
def test_any_text_gives_a_value_or_a_fault_and_never_raises(column: str, raw: str) -> None:
    """People paste anything into a cell."""
    assert isinstance(clean_cell(column, raw), Cleaned | Fault)


def dotted(amount: int) -> str:
    return f"{amount:,}".replace(",", ".")


DRESSES: tuple[Callable[[int], str], ...] = (
    str,
    dotted,
    lambda amount: f"Rp {dotted(amount)}",
    lambda amount: f"Rp{dotted(amount)},00",
    lambda amount: f"Rp. {dotted(amount)},-",
    lambda amount: f"IDR {amount:,}",
    lambda amount: f"{amount:,}.00",
    lambda amount: f"{amount}.0",
    lambda amount: f"'{amount}",
    lambda amount: f"\u00a0{amount:,}\u00a0".replace(",", " "),
    lambda amount: f"{amount}".translate(str.maketrans("0123456789", "０１２３４５６７８９")),
)


@given(st.integers(0, 10**15 - 1), st.sampled_from(DRESSES))
def test_an_amount_is_the_same_in_every_spelling(amount: int, dress: Callable[[int], str]) -> None:
    """Rupiah are whole, however they are written down."""
    cleaned = clean_cell("capital_rupiah", dress(amount))
    assert cleaned == Cleaned(amount)


@given(st.from_regex(r"8\d{8,11}", fullmatch=True), st.sampled_from(["0", "+62", "62", "", "0062", "+62 0", "(+62) "]))
def test_a_mobile_number_is_the_same_in_every_spelling(national: str, before: str) -> None:
    """With or without the country, the zero, the dashes."""
    dashed = "-".join(national[place : place + 4] for place in range(0, len(national), 4))
    for spelling in (national, dashed, dashed.replace("-", " "), dashed.replace("-", ".")):
        ascii_only = "".join(str(int(sign)) if sign.isdigit() else sign for sign in spelling)
        cleaned = clean_cell("phone", before + spelling)
        assert isinstance(cleaned, Cleaned)
        assert cleaned.value == "+62" + "".join(sign for sign in ascii_only if sign.isdigit())


@given(
    st.sampled_from(sorted(regions())),
    st.dates(date(1930, 1, 1), date(2009, 12, 31)),
    st.booleans(),
    st.integers(1, 9999),
    st.sampled_from(["", "'", "\u00a0", "\ufeff"]),
)
def test_every_well_formed_national_id_is_taken(place: str, born: date, woman: bool, serial: int, before: str) -> None:
    """District, date of birth (women plus 40), serial: nothing else is asked of it, and there is no check digit."""
    number = f"{place}01{born.day + 40 * woman:02d}{born:%m%y}{serial:04d}"
    assert clean_cell("national_id", before + number) == Cleaned(number)
