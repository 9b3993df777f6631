"""Where a Milvus gallery lies and who may open it: `milvus:people.db`, `milvus://host:19530/people`. Connects nothing.

Secrets are read here, as the Hub's token is read by its client, so that no record, address or message carries them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.errors import GalleryError

INDEXES = ("flat", "hnsw")
"""`flat` compares with everybody; `hnsw` is a graph that finds nearly all of the nearest, for many millions."""

PORT = 19530

_SERVER = re.compile(r"//(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?(/(?P<database>\w+)?)?")


@dataclass(frozen=True, slots=True)
class Address:
    """A file of Milvus Lite, or a database of a server; one of them is one gallery.

    Attributes:
        file: None for a server.
        server: `host:port`; empty for a file.
        database: empty for the server's own default.
        index: of `INDEXES`, for a gallery that is made.
    """

    file: Path | None
    server: str
    database: str
    index: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises: GalleryError when it is not written like that."""
        rest, _, query = url.removeprefix("milvus:").partition("?")
        index = query.removeprefix("index=") if query else INDEXES[0]
        if index not in INDEXES or (query and not query.startswith("index=")):
            raise GalleryError(
                f"{url} asks for an index that is not known. Write ?index=flat or ?index=hnsw, or nothing."
            )
        if not rest.startswith("//"):
            if not rest.endswith(".db"):  # the client tells files from servers by it
                raise GalleryError(
                    f"{url} names no Milvus gallery. Write milvus:FILE.db or milvus://host:port/database."
                )
            return cls(Path(rest).expanduser().resolve(), "", "", index)
        found = _SERVER.fullmatch(rest)
        if not found:
            raise GalleryError(f"{url} names no Milvus server. Write milvus://host:port/database, without a password.")
        return cls(None, f"{found['host']}:{found['port'] or PORT}", found["database"] or "", index)


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """How a server knows us. Never shown.

    Attributes:
        token: or `user` and `password`.
        tls: whether the line is encrypted.
        certificate: of an authority that the system does not know.
    """

    token: str = ""
    user: str = ""
    password: str = ""
    tls: bool = False
    certificate: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Access:
        """BYTEFACE_MILVUS_TOKEN, or _USER and _PASSWORD; _TLS=1; _CA, a file."""
        env = os.environ if env is None else env

        def get(name: str) -> str:
            return env.get(f"BYTEFACE_MILVUS_{name}") or ""

        tls = get("TLS").lower() not in {"", "0", "no", "off", "false"}
        return cls(get("TOKEN"), get("USER"), get("PASSWORD"), tls or bool(get("CA")), get("CA"))

    def arguments(self, server: str) -> dict[str, Any]:
        """What the client is made with."""
        given = {"token": self.token, "user": self.user, "password": self.password, "server_pem_path": self.certificate}
        scheme = "https" if self.tls else "http"
        return {"uri": f"{scheme}://{server}", **{name: value for name, value in given.items() if value}}
