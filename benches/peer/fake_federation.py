"""A federation's server with nothing behind it: hands a node one bundle, and counts what goes over the wire.

For measuring a node against a bundle of a size that no test federation has. It checks nothing and keeps nothing.
"""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = "普洱市志愿服务联合会"


class FakeFederation:
    """Serves `folder`/bundle.cose of benches/peer/synthetic_bundle.rs; `answers` lists (method, path, status, bytes)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.answers = []
        federation = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                federation.answer(self, "GET")

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                federation.answer(self, "POST")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def link(self) -> str:
        root = bytes.fromhex((self.folder / "root.hex").read_text())
        return f"{self.url}scan#enrol={'0' * 26}&root={base64.urlsafe_b64encode(root).rstrip(b'=').decode()}"

    def answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        path = request.path.partition("?")[0]
        status, kind, body, headers = self.decide(method, path, request.headers)
        lines = [f"HTTP/1.1 {status} x", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
        if status == 304:
            lines = [line for line in lines if not line.startswith("Content-")]
        whole = "\r\n".join([*lines, "", ""]).encode() + (b"" if status == 304 else body)
        # First counted, then sent: whoever waits for a count must not run ahead of it.
        self.answers.append((method, path, status, len(whole)))
        request.wfile.write(whole)

    def decide(self, method: str, path: str, asked) -> tuple[int, str, bytes, list[str]]:
        partner = {"id": "p1", "name": "测试合作单位"}
        root = (self.folder / "root.hex").read_text().strip()
        if (method, path) == ("POST", "/v1/enrolments"):
            body = {"token": f"zyzp_{'A' * 43}", "device_id": "d1", "partner": partner, "root_public_key": root}
            return 201, "application/json", json.dumps(body).encode(), []
        if path == "/v1/federation":
            body = {"name": NAME, "root_public_key": root, "phone": ""}
            return 200, "application/json", json.dumps(body).encode(), []
        if path == "/v1/partner":
            return 200, "application/json", json.dumps(partner).encode(), []
        if path in ("/v1/partner/bundle", "/v1/bundle"):
            bundle = (self.folder / "bundle.cose").read_bytes()
            tag = f'"{hashlib.sha256(bundle).hexdigest()[:32]}"'
            headers = [f"ETag: {tag}", "Cache-Control: private, no-cache"]
            if asked.get("If-None-Match") == tag:
                return 304, "", b"", headers
            return 200, "application/cose", bundle, headers
        return 404, "application/problem+json", b"{}", []

    def close(self) -> None:
        self.server.shutdown()
