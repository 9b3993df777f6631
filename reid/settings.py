"""The environment, read once by an entry point into one frozen record. Everything below takes arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reid import zero_gpu
from reid.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parent.parent


def _home(folder: str) -> Path:
    """Beside the code in a checkout; in the user's data folder where there is none, or nothing can be written there."""
    if (CHECKOUT / "app.py").exists() and _writable(CHECKOUT / folder):
        return CHECKOUT / folder
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "byteface" / folder


def _writable(folder: Path) -> bool:
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


@dataclass(frozen=True, slots=True)
class HubLogin:
    """Logging in with Hugging Face. A Space with `hf_oauth: true` is given the first three.

    Attributes:
        client_id: of the Space as an OAuth application; empty where there is none.
        secret: of the same.
        provider: address of the OpenID provider.
        host: name of the Space, by which the provider sends people back; empty for the one that they came by.
        admins, operators, viewers: users and organisations of the Hub that have that role; nobody else gets in.
    """

    client_id: str = ""
    secret: str = field(default="", repr=False)
    provider: str = "https://huggingface.co"
    host: str = ""
    admins: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()

    @property
    def wanted(self) -> bool:
        """Whether it can be used, and by whom."""
        return bool(self.client_id and self.secret and (self.admins or self.operators or self.viewers))


@dataclass(frozen=True, slots=True)
class Doors:
    """How people get in.

    Attributes:
        accounts: whether it is refused to start without an account; with one, accounts are asked for anyway.
        visitors: whether anybody may come in and search, as a viewer: for a public demonstration.
        requests_per_minute: of one user, once accounts are asked for; 0 for no limit.
        proxies: addresses of proxies whose word is taken for https and for who asks; `*` for any.
        root_path: where a proxy shows the page below its own root, such as `/faces`.
        space: whether this is a Space, whose page lives in a frame of another site.
    """

    accounts: bool = False
    visitors: bool = False
    requests_per_minute: int = 600
    proxies: tuple[str, ...] = ()
    root_path: str = ""
    space: bool = False
    hub: HubLogin = HubLogin()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Doors:
        """Raises: SettingsError."""
        space = bool(env.get("SPACE_ID"))
        root_path = "/" + (env.get("BYTEFACE_ROOT_PATH") or "").strip("/")
        return cls(
            accounts=_yes(env, "BYTEFACE_ACCOUNTS", "0"),
            visitors=_yes(env, "BYTEFACE_VISITORS", "0"),
            requests_per_minute=_number(env, "BYTEFACE_REQUESTS_PER_MINUTE", 600),
            proxies=_names(env, "BYTEFACE_PROXIES") or (("*",) if space else ()),
            root_path="" if root_path == "/" else root_path,
            space=space,
            hub=HubLogin(
                env.get("OAUTH_CLIENT_ID") or "",
                env.get("OAUTH_CLIENT_SECRET") or "",
                (env.get("OPENID_PROVIDER_URL") or "https://huggingface.co").rstrip("/"),
                env.get("SPACE_HOST") or "",
                *(_names(env, f"BYTEFACE_HF_{who}") for who in ("ADMINS", "OPERATORS", "VIEWERS")),
            ),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things lie and what is used.

    Attributes:
        models_dir: weights and training runs.
        data_dir: galleries and demonstration photographs.
        gallery: a file ending in .db or .npy, or another backend's address.
        space: `auto`, `facenet`, `sface`, `facenet+sface`, or with a weight `facenet+sface@0.2`.
        weights: what `facenet` is loaded from: `ms1m`, `vggface2`, `casia-webface`, a run folder, `hub:owner/name`;
            `auto` is the best run of `models_dir`, or `ms1m` without one.
        detector: `yunet` or `mtcnn`.
        min_face_px: width of the smallest box that is looked for: a face of 16 px from ear to ear gets one of 10 to 15.
        device: a torch device, `auto` for the best one present.
        runtime: what computes: `openvino`, `torch` (the reference), `auto` for the fastest one here.
        precision: of OpenVINO's numbers: `float32`, `bfloat16`, `int8`, `auto` for the fastest that was measured
            harmless.
        demo: whether a gallery that does not exist yet starts with the demonstration people.
        audit: file of the audit log; empty for audit.db beside the gallery.
        purpose: whether a search says what it is for: `off`, `optional`, `required`.
        backup_days: how long copies of a gallery that lie beside it are kept; 0 for ever.
        backup_repo: private data set of the Hub that the gallery is saved to and brought back from; empty for none.
        backup_minutes: how often it is saved.
        ephemeral: whether the disk is not kept: a Space's, unless BYTEFACE_DATA names a place.
        host: address to listen on.
        hosts: further names that the page answers to, such as that of a proxy before it.
        open_to_network: whether it may listen where other machines reach it. A Space is meant to be reached.
        doors: how people get in.
    """

    models_dir: Path
    data_dir: Path
    gallery: str
    space: str = "auto"
    weights: str = "auto"
    detector: str = "yunet"
    min_face_px: int = 10
    device: str = "auto"
    runtime: str = "auto"
    precision: str = "auto"
    demo: bool = True
    host: str = "127.0.0.1"
    port: int = 7860
    hosts: tuple[str, ...] = ()
    open_to_network: bool = False
    audit: str = ""
    purpose: str = "off"
    backup_days: int = 90
    backup_repo: str = ""
    backup_minutes: int = 15
    ephemeral: bool = False
    doors: Doors = Doors()

    @property
    def saved_every_min(self) -> int | None:
        """How often a gallery on a disk that is not kept is saved elsewhere, 0 for never; None for other disks."""
        return (self.backup_minutes if self.backup_repo else 0) if self.ephemeral else None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings of this process.

        Raises:
            SettingsError: a number is not one.
        """
        env = os.environ if env is None else env
        data_dir = Path(env.get("BYTEFACE_DATA") or _home("data"))
        return cls(
            models_dir=Path(env.get("BYTEFACE_MODELS") or _home("models")),
            data_dir=data_dir,
            gallery=env.get("BYTEFACE_GALLERY") or str(data_dir / "gallery.db"),
            space=env.get("BYTEFACE_SPACE") or "auto",
            weights=env.get("BYTEFACE_WEIGHTS") or "auto",
            detector=env.get("BYTEFACE_DETECTOR") or "yunet",
            min_face_px=_number(env, "BYTEFACE_MIN_FACE_PX", 10),
            # on ZeroGPU no GPU is seen until one is lent
            device=env.get("BYTEFACE_DEVICE") or ("cuda" if zero_gpu.is_here() else "auto"),
            runtime=env.get("BYTEFACE_RUNTIME") or "auto",
            precision=env.get("BYTEFACE_PRECISION") or "auto",
            demo=_yes(env, "BYTEFACE_DEMO", "1"),
            host=env.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if env.get("SPACE_ID") else "127.0.0.1"),
            port=_number(env, "GRADIO_SERVER_PORT", 7860),
            hosts=_names(env, "BYTEFACE_HOSTS"),
            audit=env.get("BYTEFACE_AUDIT") or "",
            purpose=env.get("BYTEFACE_PURPOSE") or "off",
            backup_days=_number(env, "BYTEFACE_BACKUP_DAYS", 90),
            backup_repo=env.get("BYTEFACE_BACKUP_REPO") or "",
            backup_minutes=max(1, _number(env, "BYTEFACE_BACKUP_MINUTES", 15)),
            ephemeral=bool(env.get("SPACE_ID")) and not env.get("BYTEFACE_DATA"),
            open_to_network=_yes(env, "BYTEFACE_OPEN_TO_NETWORK", "1" if env.get("SPACE_ID") else "0"),
            doors=Doors.from_env(env),
        )


def _names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in env.get(name, "").split(",") if one.strip())


def _yes(env: Mapping[str, str], name: str, default: str) -> bool:
    return (env.get(name) or default).lower() not in {"0", "no", "off", "false"}


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}, which is not a whole number. Correct it or leave it out.") from None
