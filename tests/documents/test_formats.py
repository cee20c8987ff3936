"""Days, money, masked numbers and QR codes."""

from urllib.parse import unquote

import pytest

from documents.formats import day_in_words, moment_in_words, rupiah_in_words
from documents.qr import QrCode


def test_days_and_moments_are_told_in_jakarta_and_in_both_languages() -> None:
    """18:30 in UTC is the next morning in Surabaya."""
    assert day_in_words("2026-08-17", "id") == "17 Agustus 2026"
    assert day_in_words("2026-08-17", "en") == "17 August 2026"
    assert moment_in_words("2026-12-31T18:30:00Z", "id") == "1 Januari 2027 pukul 01.30 WIB"
    assert moment_in_words("2026-12-31T18:30:00Z", "en") == "1 January 2027 at 01:30 WIB"
    with pytest.raises(ValueError, match="time zone"):
        moment_in_words("2026-12-31T18:30:00", "id")


def test_rupiah_are_whole_numbers_with_each_languages_points() -> None:
    """Never a fraction, never a float."""
    assert rupiah_in_words(1_500_000, "id") == "Rp1.500.000"
    assert rupiah_in_words(1_500_000, "en") == "Rp1,500,000"
    assert rupiah_in_words(0, "id") == "Rp0"
    for wrong in (1.5, True, "15"):
        with pytest.raises(TypeError):
            rupiah_in_words(wrong, "id")  # type: ignore[arg-type]


def test_a_qr_code_is_small_vector_art_of_the_check_address() -> None:
    """Closed shapes only, with a quiet zone, the same each time."""
    picture = unquote(QrCode("https://periksa.contoh.example/check/LEG-2026-000123").uri)
    assert picture.startswith("data:image/svg+xml,<svg") and len(picture) < 9000 and "stroke" not in picture
    assert picture == unquote(QrCode("https://periksa.contoh.example/check/LEG-2026-000123").uri)


@pytest.mark.parametrize(
    "wrong",
    [
        "3508166904956220",
        "https://x.example/check/3508166904956220",
        "https://x.example/?phone=081162319252",
        "https://x.example/check/+6281162319252",
        "https://user@x.example/check/1",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_a_qr_code_never_holds_a_personal_number_or_another_address(wrong: str) -> None:
    """Invariant 7."""
    with pytest.raises(ValueError, match="QR code"):
        QrCode(wrong)
