"""Columns of an intake file, and the other names under which they are recognised."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.people.intake.cleaned import Note
from engine.people.intake.spelling import plain, shown

REQUIRED = (
    "owner_name",
    "national_id",
    "business_name",
    "region_code",
    "industry_code",
    "industry_code_version",
    "capital_rupiah",
    "annual_sales_rupiah",
)
COLUMNS = (
    "owner_name",
    "national_id",
    "tax_id",
    "phone",
    "email",
    "business_name",
    "region_code",
    "address",
    "industry_code",
    "industry_code_version",
    "main_product",
    "cluster",
    "capital_rupiah",
    "annual_sales_rupiah",
    "existing_nib",
)
# Columns that a download of refused rows adds: a corrected file may still have them.
ADDED_COLUMNS = frozenset({"line", "alasan"})

# Column names in the offices' own lists. An alias counts only where the column's own name is absent.
ALIASES = {
    "owner_name": ("nama_pemilik", "nama_pelaku_usaha", "pelaku_usaha", "pemilik", "nama_lengkap"),
    "national_id": ("nik", "no_nik", "nomor_nik", "no_ktp", "nomor_ktp", "nomor_induk_kependudukan"),
    "tax_id": ("npwp", "no_npwp", "nomor_npwp"),
    "phone": (
        "telepon",
        "no_telepon",
        "nomor_telepon",
        "no_hp",
        "nomor_hp",
        "hp",
        "telp",
        "no_telp",
        "no_wa",
        "whatsapp",
    ),
    "email": ("e_mail", "surel", "alamat_email"),
    "business_name": ("nama_usaha", "usaha", "merek_usaha"),
    "region_code": ("kode_wilayah", "kode_kabupaten", "kode_kab_kota", "kode_kabupaten_kota", "wilayah"),
    "address": ("alamat", "alamat_usaha"),
    "industry_code": ("kbli", "kode_kbli"),
    "industry_code_version": ("versi_kbli", "tahun_kbli", "kbli_version"),
    "main_product": ("produk_utama", "produk"),
    "cluster": ("klaster", "kluster"),
    "capital_rupiah": ("modal", "modal_usaha", "modal_rupiah", "capital"),
    "annual_sales_rupiah": (
        "omzet",
        "omset",
        "hasil_penjualan_tahunan",
        "penjualan_tahunan",
        "omzet_tahunan",
        "annual_sales",
    ),
    "existing_nib": ("nib", "no_nib", "nomor_nib", "nib_lama"),
}


@dataclass
class Header:
    """The place of each known column in the file, and notes on the other columns."""

    places: dict[str, int]
    warnings: list[Note] = field(default_factory=list)
    fault: Note | None = None

    @property
    def missing(self) -> list[str]:
        """The required columns that the file lacks."""
        return [column for column in REQUIRED if column not in self.places]


def column_key(cell: str) -> str:
    """Return the normal form of a column's name: ``Owner Name *`` becomes owner_name."""
    return re.sub(r"[^a-z0-9]+", "_", plain(cell).casefold()).strip("_")


def known_columns(cells: list[str]) -> int:
    """Return the number of our columns that the cells name."""
    return len(_places([column_key(cell) for cell in cells]))


def read_header(cells: list[str]) -> Header:
    """Match a header to our columns; set ``fault`` for a column that is missing or repeated."""
    keys = [column_key(cell) for cell in cells]
    header = Header(_places(keys))
    for column in COLUMNS:
        if keys.count(column) > 1:
            header.fault = Note(
                column,
                f"Kolom {column} ada {keys.count(column)} kali. Sisakan satu saja, lalu unggah lagi.",
                f"The column {column} stands there {keys.count(column)} times. Leave one and upload the file again.",
            )
            return header
    if header.missing:
        names = ", ".join(header.missing)
        header.fault = Note(
            header.missing[0],
            f"Berkas ini tidak memiliki kolom wajib: {names}. Tidak ada baris yang diambil. "
            f"Tambahkan judul kolom itu di baris pertama, lalu unggah lagi.",
            f"The file lacks required columns: {names}. No row was taken over. "
            f"Add these column names to the first line and upload the file again.",
        )
        return header
    used = set(header.places.values())
    for place, (cell, key) in enumerate(zip(cells, keys, strict=True)):
        if place in used or key in ADDED_COLUMNS or not key:
            continue
        name = shown(plain(cell))
        header.warnings.append(
            Note(
                name,
                f"Kolom '{name}' tidak dikenal dan diabaikan. Periksa ejaannya bila isinya diperlukan.",
                f"The column '{name}' is not known and was ignored. Check its spelling if its content is needed.",
            )
        )
    return header


def _places(keys: list[str]) -> dict[str, int]:
    places = {column: keys.index(column) for column in COLUMNS if column in keys}
    for column, aliases in ALIASES.items():
        if column not in places:
            found = [alias for alias in aliases if alias in keys]
            if found:
                places[column] = keys.index(found[0])
    return places
