"""Times the scanner page's own core in a real desktop Chromium, through chromedriver: frames and verdicts."""

import base64
import io
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import segno
import segno.consts
from PIL import Image, ImageFilter

HERE = Path(__file__).resolve().parent
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]


def frames(code: str) -> list[tuple[str, int, int, bytes]]:
    """What a camera of 640 × 480 sees of a card's code, and of a counter without one."""
    # As the card's own encoder does it: the address as bytes, the digits as digits.
    address, digits = code.rsplit("#", 1)
    symbol = segno.make_qr([(f"{address}#", segno.consts.MODE_BYTE), (digits, segno.consts.MODE_NUMERIC)], error="m", boost_error=False)
    drawn = io.BytesIO()
    symbol.save(drawn, kind="png", scale=4, border=4)
    card = Image.open(drawn).convert("L")
    counter = Image.radial_gradient("L").resize((640, 480)).point(lambda value: 90 + value // 4)
    out = [("counter", counter)]
    for name, turn, blur in (("upright", 0, 0.6), ("askew", 12, 1.0)):
        scene = counter.copy()
        sheet = Image.new("L", card.size, 235)
        sheet.paste(card.point(lambda value: 40 + value * 190 // 255))
        mask = Image.new("L", card.size, 255).rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
        scene.paste(sheet.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC), (180, 90), mask)
        out.append((name, scene.filter(ImageFilter.GaussianBlur(blur))))
    return [(name, 640, 480, picture.tobytes()) for name, picture in out]


def measure(address: str, root: str, bundle: bytes, code: str, now: int, times: int) -> dict:
    """Opens the page at `address` and runs page_figures.js in it."""
    argument = {
        "frames": [[name, width, height, base64.b64encode(luma).decode()] for name, width, height, luma in frames(code)],
        "root": root, "bundle": base64.b64encode(bundle).decode(), "code": code, "now": now, "times": times,
    }
    with tempfile.TemporaryDirectory(prefix="zyz-chromium.") as profile:
        driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = next(found.group(1) for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
            options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "binary": CHROMIUM}
            base = f"http://127.0.0.1:{port}/session"
            session = ask(base, {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
            here = f"{base}/{session['sessionId']}"
            try:
                ask(f"{here}/timeouts", {"script": 300_000})
                ask(f"{here}/url", {"url": address})
                script = (HERE / "page_figures.js").read_text()
                figures = ask(f"{here}/execute/async", {"script": script, "args": [argument]})
            finally:
                urllib.request.urlopen(urllib.request.Request(here, method="DELETE"))
        finally:
            driver.terminate()
            driver.wait()
    if "error" in figures:
        raise SystemExit(f"in the page: {figures['error']}")
    figures["browser"] = session["capabilities"]["browserVersion"]
    return figures


def ask(address: str, body: dict):
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=400) as answer:
        return json.load(answer)["value"]
