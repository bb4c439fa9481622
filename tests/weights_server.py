"""A web server on this machine that gives one file of weights, and can misbehave."""

from __future__ import annotations

import http.server
import threading
from types import TracebackType
from typing import Self


class WeightsServer:
    """Gives ``body`` at ``url`` alone, and counts what it was asked for.

    Args:
        body: of the file; may be replaced while the server runs.
        file: the name that ends ``url``.

    ``promised`` is a size to announce instead of that of ``body``.
    """

    def __init__(self, body: bytes, file: str) -> None:
        self.body, self.requests = body, 0
        self.promised: int | None = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                if self.path != f"/{file}":
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(outer.promised or len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{file}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
