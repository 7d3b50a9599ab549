"""A local server that compresses as a web host does, so that a page's bytes can be counted."""

import gzip
import mimetypes
import threading
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

TEXT = {".html", ".js", ".mjs", ".css", ".svg", ".json", ".xml", ".txt", ".ipynb"}
TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".ipynb": "application/json",
}


@lru_cache(maxsize=256)
def body(file, modified):
    """Bytes of a file as they travel, and the headers that go with them. `modified` keys the cache."""
    raw, suffix = file.read_bytes(), file.suffix
    headers = {
        "Content-Type": TYPES.get(suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    }
    if suffix in TEXT:
        raw, headers["Content-Encoding"] = gzip.compress(raw, 6), "gzip"
    return raw, {**headers, "Content-Length": str(len(raw))}


class Handler(BaseHTTPRequestHandler):
    """Files below `folder`; a folder's index; 404 for the rest."""

    folder = Path()
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        file = self.folder / unquote(urlsplit(self.path).path).lstrip("/")
        file = file / "index.html" if file.is_dir() else file
        found = file.is_file() and file.resolve().is_relative_to(self.folder.resolve())
        raw, headers = (
            body(file, file.stat().st_mtime_ns) if found else (b"not found", {"Content-Length": "9"})
        )
        self.send_response(200 if found else 404)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *arguments):
        """Say nothing: the tests tell what failed."""


class Server:
    """Context manager: serves `folder` on a free port; `address` ends without a slash."""

    def __init__(self, folder):
        handler = type("FolderHandler", (Handler,), {"folder": Path(folder)})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.http.shutdown()
        self.http.server_close()
