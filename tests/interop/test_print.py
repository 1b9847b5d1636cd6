"""The printed sheets, rendered by poppler: every code readable by zxing-cpp, every name in the text."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from commands import run

CARDS_A_PAGE = {"a4-8up": 8, "a4-10up": 10, "cr80": 1}
PAGE_MM = {"a4-8up": (210, 297), "a4-10up": (210, 297)}


@pytest.fixture(scope="module", params=list(CARDS_A_PAGE))
def layout(request) -> str:
    return request.param


def sheets(world, layout: str) -> list[Path]:
    files = sorted(world.printed[layout].glob("*.pdf"))
    assert files, f"no PDF for {layout}"
    return files


@pytest.mark.parametrize("dpi", [150, 300])
def test_zxing_reads_every_code(world, layout, dpi, tmp_path):
    for at, sheet in enumerate(sheets(world, layout)):
        run(["pdftoppm", "-gray", "-r", dpi, sheet, tmp_path / f"page{at}"])
    pages = sorted(tmp_path.glob("*.pgm"))
    found = Counter()
    with ThreadPoolExecutor() as pool:  # the reader releases the interpreter's lock
        for codes in pool.map(codes_on, pages):
            found.update(codes)
            assert len(codes) <= CARDS_A_PAGE[layout]
    expected = Counter(world.texts.values())
    missing = [number for number, text in world.texts.items() if text not in found]
    assert not missing, f"{len(missing)} of {len(expected)} codes not read at {dpi} dpi: {missing[:5]}"
    assert found == expected


def codes_on(page: Path) -> list[str]:
    with Image.open(page) as picture:
        codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in codes if code.valid]


def test_symbols_stay_small(world, tmp_path):
    """Version 8 (49 modules) at most, error correction M, with this prefix and a masked name of three characters."""
    number = next(n for n, name in world.printed_names.items() if len(name) == 3)
    picture = tmp_path / "card.png"
    world.federation("card", number, "--png", picture)
    with Image.open(picture) as image:
        (code,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text == world.texts[number]
    assert code.extra["ECLevel"] == "M"
    assert int(code.extra["Version"]) <= 8


def test_pdftotext_returns_every_name_and_number(world, layout):
    text = "".join(text_of(sheet) for sheet in sheets(world, layout))
    plain = "".join(text.split())
    for number, name in world.printed_names.items():
        assert name in plain, f"{name} is not in the text of {layout}"
        assert number in plain, f"the number of {name} is not in the text of {layout}"
    for unit in world.units:
        assert unit.name in plain
    assert "\ufffd" not in plain


def text_of(sheet: Path, page: int | None = None) -> str:
    pages = [] if page is None else ["-f", page, "-l", page]
    return run(["pdftotext", "-enc", "UTF-8", "-raw", *pages, sheet, "-"]).stdout


def test_metadata_and_fonts(world, layout):
    for sheet in sheets(world, layout):
        facts = dict(
            (part.strip() for part in line.split(":", 1))
            for line in run(["pdfinfo", "-isodates", sheet]).stdout.splitlines()
            if ":" in line
        )
        assert facts["Title"]
        assert "普洱市志愿服务联合会" in facts.get("Author", "") + facts["Title"] + facts.get("Subject", "")
        assert facts["CreationDate"][:2] == "20", "the date of creation is not set"
        assert facts["Encrypted"] == "no"
        # Every font embedded as a subset, and with a way back to characters.
        fonts = run(["pdffonts", sheet]).stdout.splitlines()[2:]
        assert fonts
        for font in fonts:
            embedded, subset, unicode = font.split()[-5:-2]
            assert (embedded, subset, unicode) == ("yes", "yes", "yes"), font


def test_pages_have_the_size_of_the_paper(world, layout):
    for sheet in sheets(world, layout):
        line = next(line for line in run(["pdfinfo", sheet]).stdout.splitlines() if line.startswith("Page size"))
        width, height = (float(part) * 25.4 / 72 for part in line.split(":")[1].split("pts")[0].split("x"))
        if layout in PAGE_MM:
            assert (round(width), round(height)) == PAGE_MM[layout]
        else:  # a card, perhaps with 3 mm of bleed and room for crop marks
            assert 85 <= width <= 120 and 53 <= height <= 90


def test_fronts_and_backs_come_in_pairs(world, layout):
    """Printed on both sides, a sheet is two pages: the codes are on the odd ones only."""
    for sheet in sheets(world, layout):
        pages = int(next(l for l in run(["pdfinfo", sheet]).stdout.splitlines() if l.startswith("Pages")).split()[1])
        assert pages % 2 == 0
        cards = 0
        for page in range(1, pages + 1):
            fronts = text_of(sheet, page).count("证书编号")
            if page % 2 == 0:
                assert fronts == 0, f"page {page} of {sheet.name} should be backs"
            cards += fronts
        assert cards > 0
