"""Spreadsheets in three formats come in whole; what is wrong goes back in a workbook that openpyxl can read."""

import datetime
import json
import resource
import subprocess
import zipfile

import openpyxl
import pytest

import people
from commands import ZYZ, Federation

HEADER_ROW = 3  # title, unit, header


@pytest.fixture(scope="module")
def federation(tmp_path_factory) -> Federation:
    """Another federation, so that what happens here meets nobody else."""
    federation = Federation(tmp_path_factory.mktemp("rosters"), "")
    federation("init")
    return federation


def test_every_format_was_read_whole(world):
    for unit, result in zip(world.units, world.imports, strict=True):
        assert result["refused"] == [], unit.suffix
        assert result["imported"] == len(unit.people)
        assert result["known"] == 0


def test_names_come_through_unchanged(world):
    listed = {(row["name"], row["unit"]) for row in world.volunteers}
    assert listed == {(person.name, unit.name) for unit in world.units for person in unit.people}


def test_numbers_carry_the_county(world):
    county = {unit.name: unit.county for unit in world.units}
    for row in world.volunteers:
        assert row["number"][:2] == county[row["unit"]]


def spoil(row: list[str], **changes: str) -> list[str]:
    return [changes.get(name, value) for name, value in zip(COLUMNS, row)]


COLUMNS = ["index", "name", "sex", "ethnicity", "birth", "political", "identity", "phone", "user", "password"]


def bad_roster() -> tuple[list[list[str]], dict[int, str], set[int]]:
    """Rows of a sheet; the rows to be refused with the column to be named; the rows to be accepted."""
    folk = people.invent(7, 16)
    today = datetime.date.today()

    def aged(person: people.Person, years: int) -> list[str]:
        birth = datetime.date(today.year - years, 1, 1)
        return spoil(
            person.row(0),
            birth=f"{birth:%Y.%m}",
            identity=people.identity_number("530802", birth, 801 if person.male else 802),
        )

    wrong_check = folk[1].identity[:17] + ("0" if folk[1].identity[17] != "0" else "1")
    rows_and_columns = [
        (folk[0].row(1), None),
        (spoil(folk[1].row(2), identity=wrong_check), "身份证号码"),
        (spoil(folk[2].row(3), identity="5.30802E+17"), "身份证号码"),
        (spoil(folk[3].row(4), identity=folk[3].identity[:15] + "000"), "身份证号码"),
        (spoil(folk[4].row(5), birth="1950.01"), "出生年月"),
        (spoil(folk[5].row(6), sex="女" if folk[5].male else "男"), "性别"),
        (aged(folk[6], 12), None),  # too young: the rule names age, the column may be birth or identity
        (aged(folk[7], 64), None),
        (spoil(folk[8].row(9), name=""), "姓名"),
        # Twice in one file, under another name: nothing else is wrong with it.
        (spoil(folk[0].row(10), name=folk[9].name), "身份证号码"),
        (spoil(folk[10].row(11), name='=HYPERLINK("http://example.cn","点我")'), "姓名"),
        (spoil(folk[11].row(12), ethnicity="火星族"), "民族"),
        (spoil(folk[12].row(13), political="不详党"), "政治面貌"),
        (spoil(folk[13].row(14), user="=1+1"), None),
        (spoil(folk[14].row(15), user="@SUM(A1:A9)"), None),
        (spoil(folk[15].row(16), user="-2+3"), None),
    ]
    rows = [
        ["普洱市志愿者统计表"],
        ["单位名称（公章）：虚构街道办", "", "", "", "", "", "日期：2026年9月10日"],
        people.ROSTER_HEADER,
        *(row for row, _ in rows_and_columns),
    ]
    first = HEADER_ROW + 1
    accepted = {first, first + 13, first + 14, first + 15}
    refused = {first + at: column for at, (_, column) in enumerate(rows_and_columns) if first + at not in accepted}
    return rows, refused, accepted


@pytest.fixture(scope="module", params=["xlsx", "xls", "csv"])
def returned(request, tmp_path_factory):
    """The bad roster imported in each format, with what was said and the report."""
    folder = tmp_path_factory.mktemp(f"bad-{request.param}")
    federation = Federation(folder, "")
    federation("init")
    rows, refused, accepted = bad_roster()
    sheet, report = folder / f"bad.{request.param}", folder / "report.xlsx"
    people.write_sheet(sheet, quoted(rows) if request.param == "csv" else rows)
    done = federation(
        "roster", "import", sheet, "--unit", "虚构街道办", "--county", "02", "--report", report, "--json"
    )
    return federation, rows, refused, accepted, report, done


def quoted(rows: list[list[str]]) -> list[list[str]]:
    return [['"' + value.replace('"', '""') + '"' if set(value) & set('",') else value for value in row] for row in rows]


def test_refused_rows_are_the_sheets_own(returned):
    _, _, refused, accepted, _, done = returned
    said = json.loads(done.stdout)
    assert {entry["row"] for entry in said["refused"]} == set(refused)
    assert said["imported"] == len(accepted)
    assert said["rows"] == len(refused) + len(accepted)
    for row, column in refused.items():
        # One entry a row: the first column in trouble, and everything that is wrong with its cell named.
        (entry,) = [entry for entry in said["refused"] if entry["row"] == row]
        column = column or entry["column"]
        assert entry["column"] == column, (row, column, entry)
        assert f"{'ABCDEFGHIJ'[people.ROSTER_HEADER.index(column)]}{row}" in entry["reason"], entry


def test_the_report_repeats_the_sheet_with_errors(returned):
    _, rows, refused, accepted, report, _ = returned
    sheet = openpyxl.load_workbook(report).worksheets[0]
    header = [cell.value for cell in sheet[HEADER_ROW]]
    errors = header.index("错误")
    for at, row in enumerate(rows[HEADER_ROW:], HEADER_ROW + 1):
        cells = sheet[at]
        for column, value in zip(people.ROSTER_HEADER, row):
            if column != "密码":
                shown = cells[header.index(column)].value
                assert (shown is None and value == "") or str(shown) == value, (at, column)
        if at in refused:
            assert cells[errors].value, f"row {at} has no error"
            assert any(cell.fill.fill_type for cell in cells), f"row {at} is not coloured"
        else:
            assert at in accepted and not cells[errors].value


def test_formulas_come_back_as_text(returned):
    _, rows, _, _, report, _ = returned
    sheet = openpyxl.load_workbook(report).worksheets[0]
    assert [cell.coordinate for row in sheet for cell in row if cell.data_type == "f"] == []
    texts = {cell.value for row in sheet for cell in row}
    assert {'=HYPERLINK("http://example.cn","点我")', "=1+1", "@SUM(A1:A9)", "-2+3"} <= texts
    assert not sheet._hyperlinks


def test_no_password_is_anywhere(returned):
    federation, rows, _, _, report, done = returned
    passwords = [row[9] for row in rows[HEADER_ROW:]]
    assert all(len(password) > 10 for password in passwords)

    sheet = openpyxl.load_workbook(report).worksheets[0]
    header = [cell.value for cell in sheet[HEADER_ROW]]
    if "密码" in header:
        column = header.index("密码")
        assert all(not sheet[at][column].value for at in range(HEADER_ROW + 1, sheet.max_row + 1))

    assert "密码" in done.stdout + done.stderr, "a warning says that the column was dropped"
    said = done.stdout + done.stderr
    with zipfile.ZipFile(report) as parts:
        inside = b"".join(parts.read(name) for name in parts.namelist())
    stored = b"".join(path.read_bytes() for path in federation.data.rglob("*") if path.is_file())
    for password in passwords:
        assert password not in said
        for form in (password.encode(), password.encode("utf-16-le")):
            assert form not in inside
            assert form not in stored


def test_what_is_personal_is_not_in_the_clear(world):
    """Identity numbers and telephones are encrypted in the database, and in no log beside it."""
    stored = b"".join(path.read_bytes() for path in world.federation.data.rglob("*") if path.is_file())
    for person in world.people():
        assert person.identity.encode() not in stored
        assert person.phone.encode() not in stored
    assert world.people()[0].name.encode() in stored, "the search looks at the right files"


def test_importing_again_changes_nothing(world, tmp_path):
    unit = world.units[2]  # of the first, some have left since
    sheet = tmp_path / f"again.{unit.suffix}"
    people.write_sheet(sheet, people.rows_of(unit))
    again = world.federation.json("roster", "import", sheet, "--unit", unit.name, "--county", unit.county)
    assert (again["imported"], again["known"], again["refused"]) == (0, len(unit.people), [])
    assert len(world.federation.json("volunteer", "list")) == len(world.volunteers)


def test_strict_imports_nothing(federation, tmp_path):
    rows, _, _ = bad_roster()
    sheet = tmp_path / "bad.xlsx"
    people.write_sheet(sheet, rows)
    federation("roster", "import", sheet, "--unit", "虚构街道办", "--county", "02", "--strict", expect=1)
    assert federation.json("volunteer", "list") == []


def test_dry_run_imports_nothing(federation, tmp_path):
    sheet = tmp_path / "good.xlsx"
    people.write_sheet(sheet, people.rows_of(people.units()[0]))
    said = federation.json("roster", "import", sheet, "--unit", "试算单位", "--county", "02", "--dry-run")
    assert said["imported"] == len(people.units()[0].people)
    assert federation.json("volunteer", "list") == []


@pytest.mark.parametrize("content", [b"", b"not a spreadsheet\x00\x01\x02", b"PK\x03\x04broken"], ids=["empty", "noise", "cut"])
@pytest.mark.parametrize("suffix", ["xlsx", "xls", "csv"])
def test_a_wrong_file_is_a_clear_refusal(federation, tmp_path, content, suffix):
    sheet = tmp_path / f"wrong.{suffix}"
    sheet.write_bytes(content)
    done = federation("roster", "import", sheet, "--unit", "试算单位", "--county", "02", expect=1)
    assert done.stderr.strip()
    assert "panicked" not in done.stderr


def test_a_zip_bomb_is_refused_at_once(federation, tmp_path):
    """1.5 GB of blanks in 2 MB of file: refused by its size, before memory is spent (the process may address less than that)."""
    good = tmp_path / "good.xlsx"
    people.write_sheet(good, people.rows_of(people.units()[0]))
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name in source.namelist():
            if name == "xl/worksheets/sheet1.xml":
                with out.open(name, "w", force_zip64=True) as part:
                    blank = b" " * (16 << 20)
                    part.write(b"<worksheet><sheetData>")
                    for _ in range(96):
                        part.write(blank)
            else:
                out.writestr(name, source.read(name))
    assert bomb.stat().st_size < 4 << 20
    done = subprocess.run(
        [ZYZ, "--data", federation.data, "--passphrase-file", federation.passphrase, "roster", "import", bomb,
         "--unit", "试算单位", "--county", "02"],
        capture_output=True, encoding="utf-8", timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (5 << 28, 5 << 28)),
    )
    assert done.returncode == 1
    assert "panicked" not in done.stderr and done.stderr.strip()
