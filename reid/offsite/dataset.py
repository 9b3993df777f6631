"""A private data set of the Hub that holds files and no history of them. Knows no gallery."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reid import hub
from reid.errors import HubError


class Dataset:
    """Knows the commit that it has seen or made last: a save over another one is refused.

    Attributes:
        must_be_new: a file of this name in a data set that was not looked into belongs to somebody else.
    """

    def __init__(self, repo_id: str, must_be_new: str) -> None:
        self.repo_id = repo_id
        self.must_be_new = must_be_new
        self._head: str | None = None

    def look(self) -> None:
        """Takes what is there as known. Raises: HubError."""
        try:
            with hub.asked(self.repo_id) as api:
                self._head = str(api.repo_info(self.repo_id, repo_type="dataset").sha)
        except HubError as error:
            if error.status != 404:
                raise
            self._head = None

    def download(self, folder: Path) -> dict[str, Path]:
        """Its files, as they are now; none where there is no data set yet. Raises: HubError."""
        from huggingface_hub import hf_hub_download

        self.look()
        if self._head is None:
            return {}
        with hub.asked(self.repo_id) as api:
            return {
                one: Path(
                    hf_hub_download(self.repo_id, one, repo_type="dataset", revision=self._head, local_dir=folder)
                )
                for one in sorted(self._names(api, self._head))
                if not Path(one).name.startswith(".")
            }

    def _names(self, api: Any, head: str | None = None) -> set[str]:
        tree = api.list_repo_tree(self.repo_id, repo_type="dataset", revision=head, recursive=True)
        return {file.path for file in tree if hasattr(file, "size")}  # folders have none

    def save(self, files: Mapping[str, Path]) -> None:
        """These and no others from now on, and nothing of what was there before.

        Raises:
            HubError: the Hub refuses or does not answer, or somebody else has saved there meanwhile.
        """
        try:
            self._save(files)
        except HubError as error:
            if error.status != 412:
                raise
            raise HubError(
                f"Another ByteFace has saved to {self.repo_id} meanwhile. Let one of the two run, or name another data "
                "set: what is there is not written over.",
                status=412,
            ) from error

    def _save(self, files: Mapping[str, Path]) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with hub.asked(self.repo_id) as api:
            head = self._head if self._head is not None else self._begin(api)
            added = [CommitOperationAdd(path_in_repo=one, path_or_fileobj=str(path)) for one, path in files.items()]
            over = self._names(api) - files.keys()
            gone = [CommitOperationDelete(one) for one in sorted(over) if not Path(one).name.startswith(".")]
            api.create_commit(
                self.repo_id, [*added, *gone], commit_message="Save", repo_type="dataset", parent_commit=head
            )
            api.super_squash_history(self.repo_id, repo_type="dataset", commit_message="Save")
            self._head = str(api.repo_info(self.repo_id, repo_type="dataset").sha)
            ours = {one.upload_info.sha256.hex() for one in added}
            old = [one for one in api.list_lfs_files(self.repo_id, repo_type="dataset") if one.oid not in ours]
            api.permanently_delete_lfs_files(self.repo_id, old, repo_type="dataset")

    def _begin(self, api: Any) -> str:
        """Makes the data set, or takes one in which nothing was saved. Returns its commit."""
        api.create_repo(self.repo_id, repo_type="dataset", private=True, exist_ok=True)
        self._head = str(api.repo_info(self.repo_id, repo_type="dataset").sha)
        if self.must_be_new in self._names(api, self._head):
            self._head = None
            raise HubError(
                f"Another gallery was saved to {self.repo_id} since the start. Start again, or name another."
            )
        return self._head
