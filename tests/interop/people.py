"""Invented people and the spreadsheets that units would send of them. Nobody here exists."""

import datetime
import random
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import xlwt

# Names whose characters (four of them beyond the basic plane), dots or missing surnames make trouble.
SPECIAL_NAMES = [
    "陈䶮", "李㛃", "杨㼆", "刀𬭎", "罗𫖯", "白𬱖", "周𠅤",
    "岩温扁", "玉波罕", "扎妥", "娜发", "艾嘎",
    "依香·罕丽", "阿布都热依木·麦麦提", "买买提·吐尔逊江",
]
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "春夏秋冬山川林泉松柏竹梅云霞月星晨曦明亮远志文博雅静安宁思源清和"
ETHNICITIES = ["汉族", "哈尼族", "彝族", "拉祜族", "佤族", "傣族", "布朗", "回"]
POLITICAL = ["中共党员", "共青团员", "群众", "中共预备党员", "党员", "团员"]
SERVICE_ITEMS = ["法律宣传", "环保宣传", "文明交通", "社区服务", "关爱空巢老人", "家政"]

ROSTER_HEADER = ["序号", "姓名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "用户名", "密码"]


def identity_number(division: str, birth: datetime.date, sequence: int) -> str:
    """GB 11643; an odd sequence is a man's."""
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights)) % 11]


@dataclass(frozen=True)
class Person:
    name: str
    male: bool
    birth: datetime.date
    ethnicity: str
    political: str
    identity: str
    phone: str
    password: str

    def row(self, index: int) -> list[str]:
        return [
            str(index), self.name, "男" if self.male else "女", self.ethnicity, f"{self.birth:%Y.%m}",
            self.political, self.identity, self.phone, f"user{index:04d}", self.password,
        ]


@dataclass(frozen=True)
class Unit:
    name: str
    county: str  # two digits
    people: list[Person]
    suffix: str


def invent(seed: int, count: int, special: list[str] = ()) -> list[Person]:
    """`count` people with names of their own; the same for the same seed."""
    rng = random.Random(seed)
    names = list(special)
    while len(names) < count:
        name = rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2))))
        if name not in names:
            names.append(name)
    people = []
    for at, name in enumerate(names):
        # 18 to 58 years old whenever this runs.
        today = datetime.date.today()
        birth = datetime.date(today.year - rng.randint(18, 58), rng.randint(1, 12), rng.randint(1, 28))
        sequence = seed * 100 % 900 + at % 100
        people.append(Person(
            name=name, male=sequence % 2 == 1, birth=birth, ethnicity=rng.choice(ETHNICITIES),
            political=rng.choice(POLITICAL), identity=identity_number("530802", birth, sequence),
            phone=f"138{rng.randint(0, 99_999_999):08d}", password=f"Mima{seed}x{rng.getrandbits(48):012x}",
        ))
    return people


def units() -> list[Unit]:
    organ = invent(1, 26, SPECIAL_NAMES)
    taken = {person.name for person in organ}
    school = [person for person in invent(2, 24) if person.name not in taken]
    taken |= {person.name for person in school}
    company = [person for person in invent(3, 18) if person.name not in taken]
    return [
        Unit("普洱市晨光档案馆", "00", organ, "xlsx"),
        Unit("思茅区云岭虚构中学", "02", school, "csv"),
        Unit("宁洱县山泉茶业有限公司", "21", company, "xls"),
    ]


def rows_of(unit: Unit) -> list[list[str]]:
    """A roster as it comes: title and unit above the header, signatures below the people."""
    return [
        ["普洱市志愿者统计表"],
        [f"单位名称（公章）：{unit.name}", "", "", "", "", "", "日期：2026年9月10日"],
        ROSTER_HEADER,
        *(person.row(at + 1) for at, person in enumerate(unit.people)),
        ["本单位志愿服务工作负责人：", "", "", "办公电话：", "", "", "手机号码：", "", "邮箱："],
    ]


def write_sheet(path: Path, rows: list[list[str]]) -> None:
    """`rows` as .xlsx, .xls or GB18030 .csv, every cell as text."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        sheet = book.active
        for r, row in enumerate(rows, 1):
            for c, value in enumerate(row, 1):
                if value != "":
                    cell = sheet.cell(r, c, value)
                    cell.data_type = "s"  # text, also where it begins with "="
        if len(rows[0]) == 1:
            sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(ROSTER_HEADER))
        book.save(path)
    elif path.suffix == ".xls":
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet("名单")
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value != "":
                    sheet.write(r, c, value)
        book.save(str(path))
    else:
        width = max(len(row) for row in rows)
        lines = [",".join([*row, *[""] * (width - len(row))]) for row in rows]
        path.write_bytes(("\r\n".join(lines) + "\r\n").encode("gb18030"))


HOURS_HEADER = ["姓名", "身份证号码", "服务日期", "开始时间", "结束时间", "服务小时", "服务内容", "活动名称", "服务地点", "服务项目"]


def hours_rows(people: list[Person], days_each: list[int], year: int) -> list[list[str]]:
    """A sheet of service hours: person `i` served `days_each[i]` days of eight hours in `year`."""
    rows = [["志愿服务记录汇总表"], HOURS_HEADER]
    for person, days in zip(people, days_each):
        for day in range(days):
            date = datetime.date(year, 1, 4) + datetime.timedelta(days=day)
            rows.append([
                person.name, person.identity, date.isoformat(), "09:00", "17:00", "8", "清扫与引导",
                "邻里守望", "思茅区振兴大街", SERVICE_ITEMS[day % len(SERVICE_ITEMS)],
            ])
    return rows
