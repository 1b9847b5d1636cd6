"""A roster of N invented people as .xlsx, in the form of annex 2: `python make_sheet.py ROWS FILE`.

Every identity number is different and has a right check digit, every row is acceptable. Text cells, as Excel writes them.
"""

import datetime
import itertools
import random
import sys

import openpyxl

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
GIVEN = "春夏秋冬山川林泉松柏竹梅云霞月星晨曦明亮远志文博雅静安宁思源清和东南西北中正方圆天地人日出光辉江河湖海"
ETHNICITIES = ["汉族", "哈尼族", "彝族", "拉祜族", "佤族", "傣族", "布朗族", "回族"]
POLITICAL = ["中共党员", "共青团员", "群众", "中共预备党员"]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def people(rows: int):
    rng = random.Random(rows)
    year = datetime.date.today().year
    births = (
        datetime.date(y, 1, 1) + datetime.timedelta(days=day) for y in range(year - 58, year - 18) for day in range(365)
    )
    bodies = (f"530802{birth:%Y%m%d}{sequence:03d}" for birth, sequence in itertools.product(births, range(1, 13)))
    for index, body in enumerate(itertools.islice(bodies, rows), 1):
        check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS)) % 11]
        yield [
            str(index),
            rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2, 2)))),
            "男" if int(body[16]) % 2 else "女",
            rng.choice(ETHNICITIES),
            f"{body[6:10]}.{body[10:12]}",
            rng.choice(POLITICAL),
            body + check,
            f"139{index:08d}",
            f"user{index:06d}",
            f"user{index:06d}",
        ]


def main() -> None:
    rows, file = int(sys.argv[1]), sys.argv[2]
    if rows > 40 * 365 * 12:
        sys.exit("no more than 175,200 rows")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("统计表")
    sheet.append(["普洱市志愿者统计表"])
    sheet.append(["单位名称（公章）：思茅区云岭虚构中学"])
    sheet.append(["序号", "姓名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "用户名", "密码"])
    for row in people(rows):
        sheet.append(row)
    book.save(file)


if __name__ == "__main__":
    main()
