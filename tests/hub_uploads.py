"""Uploads for the Hub stand-in: make a repository, announce files, LFS, commit. What is committed can be fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from hub_stub import Answer, HubStub


class Uploads:
    """Adds its routes to a stub.

    Attributes:
        refuse: pattern of a path and the beginning of what was sent -> the answer to give instead.
        created: what was asked for when a repository was made.
        blobs: LFS content by its SHA-256.
    """

    def __init__(self, hub: HubStub) -> None:
        self.refuse: dict[str, Answer] = {}
        self.created: list[dict[str, object]] = []
        self.blobs: dict[str, bytes] = {}
        routes = [
            ("POST", r"/api/repos/create", self._create),
            ("POST", r"/api/validate-yaml", lambda *_: Answer.json({})),
            ("POST", r"/api/models/([^/]+/[^/]+)/preupload/(.+)", self._announce),
            ("POST", r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", self._batch),
            ("PUT", r"/upload/[^/]+/[^/]+/([0-9a-f]{64})", self._put),
            ("POST", r"/verify", lambda *_: Answer()),
            ("POST", r"/api/models/([^/]+/[^/]+)/commit/(.+)", self._commit),
        ]
        hub.routes += [(method, pattern, self._unless_refused(route)) for method, pattern, route in routes]

    def _unless_refused(self, route):  # type: ignore[no-untyped-def]
        def answer(hub: HubStub, asked: re.Match[str], body: bytes) -> Answer:
            for pattern, refusal in self.refuse.items():
                if re.search(pattern, f"{asked.string} {body[:200]!r}"):
                    return refusal
            found: Answer = route(hub, asked, body)
            return found

        return answer

    def _create(self, hub: HubStub, _: re.Match[str], body: bytes) -> Answer:
        wanted = json.loads(body)
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        self.created.append(wanted)
        return Answer.json({"url": f"{hub.url}/{name}"}, 409 if name in hub.commits else 200)

    def _announce(self, _: HubStub, __: re.Match[str], body: bytes) -> Answer:
        def mode(path: str) -> str:
            return "lfs" if path.endswith((".safetensors", ".png")) else "regular"

        files = json.loads(body)["files"]
        return Answer.json(
            {"files": [{"path": f["path"], "uploadMode": mode(f["path"]), "shouldIgnore": False} for f in files]}
        )

    def _batch(self, hub: HubStub, asked: re.Match[str], body: bytes) -> Answer:
        def one(wanted: dict[str, object]) -> dict[str, object]:
            actions = {
                "upload": {"href": f"{hub.url}/upload/{asked[1]}/{wanted['oid']}"},
                "verify": {"href": f"{hub.url}/verify"},
            }
            return {**wanted, "actions": actions}

        return Answer.json({"objects": [one(wanted) for wanted in json.loads(body)["objects"]]})

    def _put(self, _: HubStub, asked: re.Match[str], body: bytes) -> Answer:
        if hashlib.sha256(body).hexdigest() != asked[1]:
            return Answer(400)
        self.blobs[asked[1]] = body
        return Answer()

    def _commit(self, hub: HubStub, asked: re.Match[str], body: bytes) -> Answer:
        files: dict[str, bytes] = {}
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
        oid = hub.commit(asked[1], files)
        return Answer.json({"commitUrl": f"{hub.url}/{asked[1]}/commit/{oid}", "commitOid": oid})
