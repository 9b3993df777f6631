"""The real app in a process of its own on a free port, for benchmarks that ask it as a program would."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reid.settings import CHECKOUT, Settings


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`python app.py` with its data in a folder and the kept weights; yields the process and its address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "BYTEFACE_GALLERY": str(folder / "gallery.db"), "BYTEFACE_DEMO": "0", "GRADIO_SERVER_PORT": str(port),
        "BYTEFACE_MODELS": str(Settings.from_env().models_dir), "BYTEFACE_DATA": str(folder),
    }  # fmt: skip
    with (folder / "app.log").open("wb") as log:
        app = subprocess.Popen(
            [sys.executable, CHECKOUT / "app.py"], env=os.environ | own | environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            assert app.poll() is None, (folder / "app.log").read_text(encoding="utf-8")
            time.sleep(0.05)
        yield app, address
    finally:
        app.terminate()
        app.wait()


def memory_mib(pid: int, what: str = "VmHWM") -> float:
    """Of a process: `VmRSS` is what it holds now, `VmHWM` the most that it held."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{what}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


def processor_s(pid: int) -> float:
    """Seconds that a process has computed so far, on all cores together."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _answers(address: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{address}/health", timeout=5).status == 200)
    except OSError:
        return False
