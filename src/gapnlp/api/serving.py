"""The app on uvicorn: started, and stopped so that requests under way end well."""

from __future__ import annotations

import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from gapnlp.api.app import create_app
from gapnlp.api.logs import configure_logging
from gapnlp.errors import InputError
from gapnlp.settings import Settings

# Connections beyond this are answered 503 by uvicorn itself; below, the app's own limits answer.
_MOST_CONNECTIONS = 1_000
_KEEP_ALIVE_SECONDS = 30


def run_server(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then take no more, let requests end, and stop.

    on_ready: told the address once it answers. A running job stops at its next chunk and goes on at the next start.
    Raises InputError when the address is taken.
    """
    configure_logging(settings.log_level)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # A proxy's word on who is calling is not taken: a server without keys relies on the address.
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
        lifespan="on",
    )
    with _listen(settings) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        _Server(config, lambda: on_ready(f"http://{shown}:{port}")).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends the event streams at the first sign of stopping: they would hold up the end of all other requests."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that stop the server; unlike uvicorn, a server that stopped well ends without one."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        app = self.config.app
        app.state.streams.stopping.set()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"--host {settings.host} --port {settings.port}: cannot be listened on ({error.strerror}); choose another"
        ) from None
    return listener
