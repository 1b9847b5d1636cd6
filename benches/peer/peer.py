"""The same job as `zyz issue --all` and `zyz print --all --layout a4-8up`, as one would write it in Python.

    python peer.py VOLUNTEERS.json FONT_FOLDER OUT_FOLDER [--jobs N] [--limit N]

reads volunteers as `zyz volunteer list --json` writes them, signs a credential for each (PyNaCl, libsodium), makes the
QR symbol (segno: one byte and one numeric segment, level M, the smallest version) and prints sheets of eight fronts and
eight backs with bleed and crop marks, a thousand cards a file (reportlab, Noto Sans SC embedded as a subset).

Written to be fast as far as the libraries go without being clever: the back, which is the same on every card, is a form
drawn once a file, each code is one path of merged runs, and the pages are compressed. What `zyz` does beyond this is
left out here, in the peer's favour: no database, no check of each code by the verifier, no audit trail, no random index.

Prints one line of JSON: seconds for each part and in all, and the peak of memory in bytes.
"""

import argparse
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

import cbor2
import segno
from nacl.signing import SigningKey
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

PREFIX = "https://zyz.example.cn/"
CARDS_A_FILE = 1000
CARD_W, CARD_H, BLEED = 85.60 * mm, 53.98 * mm, 3 * mm
PAPER, INK, RED, GOLD = (HexColor(c) for c in ("#faf6ee", "#1d1a18", "#b3261e", "#b98a2f"))
REGULAR, BOLD = "NotoSansSC", "NotoSansSC-Bold"

# --- issue ----------------------------------------------------------------------------------------------


def digits_of(data: bytes) -> str:
    sizes = (0, 3, 5, 8, 10, 13, 15, 17)
    groups = (data[at : at + 7] for at in range(0, len(data), 7))
    return "".join(str(int.from_bytes(group, "little")).zfill(sizes[len(group)]) for group in groups)


class Issuer:
    def __init__(self, seed: bytes):
        self.key = SigningKey(seed)
        public = bytes(self.key.verify_key)
        kid = sha256(cbor2.dumps({1: 1, -1: 6, -2: public}, canonical=True)).digest()[:4]
        self.protected = cbor2.dumps({1: -19, 4: kid}, canonical=True)

    def code(self, volunteer: dict, status: int, issued_at: int, expires_at: int) -> tuple[str, str]:
        """The text of the volunteer's code, in its two parts."""
        name = volunteer["name"]
        holder = name[0] + "*" * (len(name) - 1)
        claims = {2: volunteer["number"], 4: expires_at, 6: issued_at, -70001: [volunteer["star"], status, holder]}
        payload = cbor2.dumps(claims, canonical=True)
        signature = self.key.sign(cbor2.dumps(["Signature1", self.protected, b"", payload])).signature
        cose = cbor2.dumps(cbor2.CBORTag(18, [self.protected, {}, payload, signature]))
        return PREFIX + "#", digits_of(cose)


# --- print ----------------------------------------------------------------------------------------------

BACK_LINES = [
    "本证为志愿者身份的证明，服务时请随身携带。",
    "志愿服务自愿、无偿，不得以本证谋取利益。",
    "尊重服务对象，保护其隐私与个人信息。",
    "服从服务单位安排，如实记录服务时间。",
    "本证不得转借、涂改；遗失请及时挂失补办。",
    "志愿者有退出的自由，退出后本证即行注销。",
]


def star_path(canvas: Canvas, x: float, y: float, size: float):
    from math import cos, pi, sin

    path = canvas.beginPath()
    for corner in range(10):
        radius = size / 2 if corner % 2 == 0 else size / 5.2
        angle = pi / 2 + corner * pi / 5
        at = (x + radius * cos(angle), y + radius * sin(angle))
        path.moveTo(*at) if corner == 0 else path.lineTo(*at)
    path.close()
    return path


def fitted(canvas: Canvas, text: str, font: str, size: float, least: float, width: float) -> float:
    while size > least and pdfmetrics.stringWidth(text, font, size) > width:
        size -= 0.5
    return size


def draw_code(canvas: Canvas, parts: tuple[str, str], right: float, bottom: float) -> None:
    prefix, digits = parts
    code = segno.make([prefix, digits], error="m", boost_error=False, micro=False)
    module = 0.42 * mm
    rows = code.matrix
    side = len(rows) * module
    quiet = 4 * module
    left, top = right - quiet - side, bottom + quiet + side
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(left - quiet, bottom, side + 2 * quiet, side + 2 * quiet, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    path = canvas.beginPath()
    for r, row in enumerate(rows):
        c, width = 0, len(row)
        while c < width:
            if row[c]:
                start = c
                while c < width and row[c]:
                    c += 1
                path.rect(left + start * module, top - (r + 1) * module, (c - start) * module, module)
            else:
                c += 1
    canvas.drawPath(path, stroke=0, fill=1)


def draw_front(canvas: Canvas, volunteer: dict, parts: tuple[str, str], valid_until: str) -> None:
    """One front with its lower left corner at the origin; places as in the card's design, from the top left."""
    canvas.setFillColor(PAPER)
    canvas.rect(-BLEED, -BLEED, CARD_W + 2 * BLEED, CARD_H + 2 * BLEED, stroke=0, fill=1)
    canvas.setFillColor(RED)
    canvas.setFont(BOLD, 13)
    canvas.drawString(5 * mm, CARD_H - 9 * mm, "普洱市志愿服务证")
    canvas.setStrokeColor(GOLD)
    canvas.setLineWidth(0.5)
    canvas.setFillColor(GOLD)
    for place in range(5):
        path = star_path(canvas, (62 + place * 4.2) * mm, CARD_H - 6.7 * mm, 3.4 * mm)
        canvas.drawPath(path, stroke=1, fill=1 if place < volunteer["star"] else 0)
    # The place of the photo.
    canvas.setFillColor(HexColor("#efe7d8"))
    canvas.roundRect(5 * mm, CARD_H - 40 * mm, 20 * mm, 26 * mm, 1.5 * mm, stroke=0, fill=1)
    canvas.setFillColor(RED)
    canvas.setFont(BOLD, 26)
    canvas.drawCentredString(15 * mm, CARD_H - 30 * mm, volunteer["name"][0])
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, fitted(canvas, volunteer["name"], BOLD, 14, 9, 28 * mm))
    canvas.drawString(28 * mm, CARD_H - 19 * mm, volunteer["name"])
    canvas.setFont(REGULAR, 7.5)
    number = volunteer["number"]
    canvas.drawString(28 * mm, CARD_H - 25 * mm, f"证书编号 {number[:2]} {number[2:9]} {number[9]}")
    canvas.setFont(REGULAR, fitted(canvas, volunteer["unit"], REGULAR, 7.5, 6, 28 * mm))
    canvas.drawString(28 * mm, CARD_H - 31 * mm, volunteer["unit"])
    canvas.setFont(REGULAR, 7.5)
    canvas.drawString(28 * mm, CARD_H - 39 * mm, f"有效期至 {valid_until}")
    canvas.setFont(REGULAR, 6.5)
    canvas.drawString(5 * mm, CARD_H - 50 * mm, "普洱市志愿服务联合会 · 扫码验真")
    draw_code(canvas, parts, 82.6 * mm, CARD_H - 48 * mm)


def define_back(canvas: Canvas) -> None:
    canvas.beginForm("back", -BLEED, -BLEED, CARD_W + BLEED, CARD_H + BLEED)
    canvas.setFillColor(PAPER)
    canvas.rect(-BLEED, -BLEED, CARD_W + 2 * BLEED, CARD_H + 2 * BLEED, stroke=0, fill=1)
    canvas.setFillColor(RED)
    canvas.setFont(BOLD, 10)
    canvas.drawString(5 * mm, CARD_H - 9 * mm, "持证须知")
    canvas.setFillColor(INK)
    canvas.setFont(REGULAR, 7)
    for at, line in enumerate(BACK_LINES):
        canvas.drawString(5 * mm, CARD_H - (15 + at * 4.5) * mm, f"{at + 1}. {line}")
    canvas.drawString(5 * mm, CARD_H - 45 * mm, "凭本证在合作单位享受优先、优惠或免费服务。")
    canvas.drawString(5 * mm, CARD_H - 49.5 * mm, "挂失与咨询：普洱市志愿服务联合会")
    canvas.endForm()


def crop_marks(canvas: Canvas, x: float, y: float) -> None:
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.25)
    for px in (x, x + CARD_W):
        canvas.line(px, y - BLEED - 2 * mm, px, y - BLEED)
        canvas.line(px, y + CARD_H + BLEED, px, y + CARD_H + BLEED + 2 * mm)
    for py in (y, y + CARD_H):
        canvas.line(x - BLEED - 2 * mm, py, x - BLEED, py)
        canvas.line(x + CARD_W + BLEED, py, x + CARD_W + BLEED + 2 * mm, py)


def places() -> list[tuple[float, float]]:
    width, height = A4
    gap = 2 * BLEED + 2 * mm
    left = (width - 2 * CARD_W - gap) / 2
    top = (height + 4 * CARD_H + 3 * gap) / 2
    return [(left + c * (CARD_W + gap), top - (r + 1) * CARD_H - r * gap) for r in range(4) for c in range(2)]


def print_file(path: Path, fonts: Path, cards: list[tuple[dict, tuple[str, str]]], valid_until: str) -> None:
    if REGULAR not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(REGULAR, fonts / "NotoSansSC-Regular.ttf"))
        pdfmetrics.registerFont(TTFont(BOLD, fonts / "NotoSansSC-Bold.ttf"))
    canvas = Canvas(str(path), pagesize=A4, pageCompression=1)
    canvas.setTitle("普洱市志愿服务证")
    canvas.setAuthor("普洱市志愿服务联合会")
    define_back(canvas)
    spots = places()
    for at in range(0, len(cards), 8):
        sheet = cards[at : at + 8]
        for (x, y), (volunteer, parts) in zip(spots, sheet):
            canvas.saveState()
            canvas.translate(x, y)
            draw_front(canvas, volunteer, parts, valid_until)
            canvas.restoreState()
            crop_marks(canvas, x, y)
        canvas.showPage()
        for place in range(len(sheet)):
            x, y = spots[place ^ 1]  # turned over the long edge, left is right
            canvas.saveState()
            canvas.translate(x, y)
            canvas.doForm("back")
            canvas.restoreState()
            crop_marks(canvas, x, y)
        canvas.showPage()
    canvas.save()


# --- all of it ------------------------------------------------------------------------------------------


def main() -> None:
    arguments = argparse.ArgumentParser(description="the peer of `zyz issue` and `zyz print`")
    arguments.add_argument("volunteers", type=Path)
    arguments.add_argument("fonts", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--limit", type=int)
    options = arguments.parse_args()

    began = time.perf_counter()
    volunteers = json.loads(options.volunteers.read_text(encoding="utf-8"))[: options.limit]
    issued_at = int(time.time())
    year = time.gmtime(issued_at + 8 * 3600).tm_year + 1
    expires_at = int(time.mktime((year, 12, 31, 23, 59, 59, 0, 0, 0))) - time.timezone - 8 * 3600
    issuer = Issuer(bytes(range(32)))
    cards = [(v, issuer.code(v, at, issued_at, expires_at)) for at, v in enumerate(volunteers)]
    signed = time.perf_counter()

    options.out.mkdir(parents=True, exist_ok=True)
    tasks = [
        (options.out / f"cards-{at // CARDS_A_FILE + 1:04d}.pdf", options.fonts, cards[at : at + CARDS_A_FILE], f"{year}-12-31")
        for at in range(0, len(cards), CARDS_A_FILE)
    ]
    if options.jobs == 1:
        for task in tasks:
            print_file(*task)
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            for done in [pool.submit(print_file, *task) for task in tasks]:
                done.result()
    printed = time.perf_counter()

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if options.jobs > 1:
        peak += options.jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    json.dump(
        {
            "cards": len(cards),
            "sign_seconds": signed - began,
            "print_seconds": printed - signed,
            "seconds": printed - began,
            "peak_bytes": peak * 1024,
            "pdf_bytes": sum(path.stat().st_size for path in options.out.glob("*.pdf")),
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main()
