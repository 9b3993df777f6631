"""Uploads for the Hub stand-in: make a repository, announce files, LFS, commit. What is committed can be fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from hub_stub import Answer, HubStub, repository_of

_KIND = "(models|datasets|spaces)"


class Uploads:
    """Adds its routes to a stub.

    Attributes:
        refuse: pattern of a path and the beginning of what was sent -> the answer to give instead.
        created: what was asked for when a repository was made.
        blobs: LFS content by its SHA-256.
        variables: of Spaces, set after they were made.
    """

    def __init__(self, hub: HubStub) -> None:
        self.refuse: dict[str, Answer] = {}
        self.created: list[dict[str, object]] = []
        self.blobs: dict[str, bytes] = {}
        self.variables: dict[str, str] = {}
        routes = [
            ("POST", r"/api/repos/create", self._create),
            ("POST", r"/api/validate-yaml", lambda *_: Answer.json({})),
            ("POST", rf"/api/{_KIND}/([^/]+/[^/]+)/preupload/(.+)", self._announce),
            ("POST", r"/((?:datasets/|spaces/)?[^/]+/[^/]+)\.git/info/lfs/objects/batch", self._batch),
            ("PUT", r"/upload/.+/([0-9a-f]{64})", self._put),
            ("POST", r"/verify", lambda *_: Answer()),
            ("POST", rf"/api/{_KIND}/([^/]+/[^/]+)/commit/(.+)", self._commit),
            ("GET", rf"/api/{_KIND}/([^/]+/[^/]+)/tree/(.+)", self._tree),
            ("POST", r"/api/spaces/([^/]+/[^/]+)/variables", self._variable),
            ("POST", rf"/api/{_KIND}/([^/]+/[^/]+)/super-squash/(.+)", self._squash),
            ("GET", rf"/api/{_KIND}/([^/]+/[^/]+)/lfs-files", self._list_blobs),
            ("POST", rf"/api/{_KIND}/([^/]+/[^/]+)/lfs-files/batch", self._delete_blobs),
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
        name = repository_of(f"{wanted.get('type') or 'model'}s", name)
        self.created.append(wanted)
        there = name in hub.commits
        if not there and "/" in name.partition("/")[2]:  # a data set or a Space begins with a commit of the Hub's own
            hub.commit(name, {".gitattributes": b""})
        return Answer.json({"url": f"{hub.url}/{name}"}, 409 if there else 200)

    def _announce(self, _: HubStub, __: re.Match[str], body: bytes) -> Answer:
        def mode(path: str) -> str:
            return "lfs" if path.endswith((".safetensors", ".png", ".webp", ".byteface", ".db")) else "regular"

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
        repository = repository_of(asked[1], asked[2])
        files = dict(hub.commits[repository][-1][1]) if repository in hub.commits else {}
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if value.get("parentCommit") not in {None, *(name for name, _ in hub.commits.get(repository, [])[-1:])}:
                return Answer.json({"error": "another commit came before"}, 412)
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
            elif entry["key"] == "deletedFile":
                files.pop(value["path"], None)
        oid = hub.commit(repository, files)
        return Answer.json({"commitUrl": f"{hub.url}/{repository}/commit/{oid}", "commitOid": oid})

    def _tree(self, hub: HubStub, asked: re.Match[str], _: bytes) -> Answer:
        found = hub.find(repository_of(asked[1], asked[2]), asked[3])
        if isinstance(found, Answer):
            return found
        folders = {path.rpartition("/")[0] for path in found[1] if "/" in path}
        files: list[dict[str, object]] = [{"type": "directory", "path": one, "oid": "0" * 40} for one in folders]
        files += [{"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                 for path, content in found[1].items()]  # fmt: skip
        return Answer.json(files)

    def _variable(self, _: HubStub, __: re.Match[str], body: bytes) -> Answer:
        wanted = json.loads(body)
        self.variables[wanted["key"]] = wanted["value"]
        return Answer.json({wanted["key"]: {"value": wanted["value"]}})

    def _squash(self, hub: HubStub, asked: re.Match[str], _: bytes) -> Answer:
        repository = repository_of(asked[1], asked[2])
        hub.commit(repository, hub.commits[repository][-1][1])
        del hub.commits[repository][:-1]
        return Answer()

    def _list_blobs(self, _: HubStub, __: re.Match[str], ___: bytes) -> Answer:
        return Answer.json(
            [{"fileOid": f"file-{oid}", "oid": oid, "filename": "unknown", "size": len(content),
              "pushedAt": "2026-01-01T00:00:00.000Z", "ref": None} for oid, content in self.blobs.items()]
        )  # fmt: skip

    def _delete_blobs(self, _: HubStub, __: re.Match[str], body: bytes) -> Answer:
        for file_oid in json.loads(body)["deletions"]["sha"]:
            del self.blobs[file_oid.removeprefix("file-")]
        return Answer()
