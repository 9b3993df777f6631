"""Every error that ByteFace raises on purpose.

    ReidError
    ├── SettingsError            an environment variable or flag has an unusable value
    ├── ImageDecodeError         not a picture, cut off, or too large
    ├── FaceError                something about the faces on a photograph
    │   ├── NoFaceError
    │   ├── MultipleFacesError   several faces where one was meant
    │   └── LowQualityError
    ├── EmbeddingSpaceError      two spaces that cannot be compared
    ├── CalibrationError         too few searches for the target
    ├── WeightsError             weights missing, damaged or unreachable
    ├── TableError               a CSV without the columns or rows that were asked for
    ├── ArchiveError             an archive that is damaged, locked, or made to do harm
    ├── TrainingError            a training run that cannot go on
    │   └── GateError            a run that is not better than what it started from
    ├── PurposeError             a search whose purpose must be said, and was not
    ├── AuditError               the audit log cannot be used, or somebody changed it
    ├── NotAllowedError          whoever asked may not do that
    ├── HubError                 the Hugging Face Hub refuses, or does not answer
    ├── AccountError             an account, a key or a password that cannot be so
    └── GalleryError             the gallery cannot do it
        ├── IdentityNotFoundError
        └── IdentityExistsError

A message says in one sentence what happened and in the next what to do. The command line prints it and exits 1,
the page shows it.
"""

from __future__ import annotations


class ReidError(Exception):
    """Base of all: catch this at an entry point, nothing broader."""


class SettingsError(ReidError):
    pass


class ImageDecodeError(ReidError):
    pass


class FaceError(ReidError):
    pass


class NoFaceError(FaceError):
    pass


class MultipleFacesError(FaceError):
    pass


class LowQualityError(FaceError):
    pass


class EmbeddingSpaceError(ReidError):
    pass


class CalibrationError(ReidError):
    pass


class WeightsError(ReidError):
    pass


class TableError(ReidError):
    pass


class ArchiveError(ReidError):
    pass


class TrainingError(ReidError):
    pass


class GateError(TrainingError):
    pass


class HubError(ReidError):
    """The Hub refuses or does not answer.

    Attributes:
        status: of its answer; 0 where there was none.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class GalleryError(ReidError):
    pass


class IdentityNotFoundError(GalleryError):
    pass


class IdentityExistsError(GalleryError):
    pass


class NotAllowedError(ReidError):
    """Whoever asked may not do that."""


class AccountError(ReidError):
    pass


class AuditError(ReidError):
    """The log of what was done cannot be written or read; nothing is done that it does not record."""


class PurposeError(ReidError):
    pass
