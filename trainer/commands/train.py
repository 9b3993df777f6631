"""`byteface train`: photographs of known people in, a run folder with better weights out."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common

if TYPE_CHECKING:
    from reid.settings import Settings
    from trainer.data import FaceStore, FoundFace
    from trainer.recipes import Recipe
    from trainer.splits import Split

_SKIPPED = "skipped.csv"
SFACE_PX = 112


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the reference, then ours."""
    common.add_table(parser, "--train-csv", "photographs of known people: image_path and gt; or a folder per person")
    parser.add_argument("--epochs", type=int, help="[the recipe's]")
    parser.add_argument("--batch", type=int, help="photographs a step [32]")
    parser.add_argument("--lr-backbone", type=float, help="[5e-5]")
    parser.add_argument("--lr-archead", type=float, help="[1e-3]")
    parser.add_argument(
        "--save-path", type=Path, default=Path("models/best_model.pth"), help="run folder [models/best_model]"
    )
    common.add_face(parser)
    ours = parser.add_argument_group("ours")
    ours.add_argument("--recipe", choices=("open-set", "reference"), default="open-set", help="[open-set]")
    ours.add_argument("--val-csv", type=Path, help="photographs to choose by: known people, and doesn't_exist")
    ours.add_argument("--strangers-csv", type=Path, help="photographs of people outside the training CSV, to choose by")
    ours.add_argument("--unlabelled", type=Path, help="CSV or folder of photographs of anybody, for distillation")
    ours.add_argument("--distil", choices=("self", "sface", "none"), default="self", help="the teacher [self]")
    ours.add_argument("--embedding-dim", type=int, help="a longer embedding, such as 512 [that of the weights]")
    ours.add_argument("--adaface", action="store_true", help="a margin that follows the quality of the photograph")
    ours.add_argument("--sub-centres", type=int, help="rows an identity; 3 where labels may be wrong [1]")
    ours.add_argument("--seed", type=int, default=0, help="[0]")
    ours.add_argument("--workers", type=int, default=0, help="threads that make views [one a processor]")
    ours.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    ours.add_argument("--overwrite", action="store_true", help="replace a finished run of that name")
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Finds the faces, trains, and writes the run folder."""
    from reid.networks.facenet import choose_device
    from reid.weights import ensure
    from reid.weights.choice import AUTO, PRETRAINED
    from trainer import runs
    from trainer.job import Job
    from trainer.phases import train_in_order
    from trainer.world import joined

    recipe = recipe_of(args)
    settings = common.settings_of(args, of_gallery=False)
    folder, note = runs.run_folder(args.save_path)
    if not args.overwrite:
        runs.refuse_to_lose(folder, resume=args.resume)
    device = choose_device(settings.device)
    with joined(device) as world:
        # a run starts from pretrained weights unless others are named, whatever runs there are
        start = PRETRAINED if settings.weights == AUTO else settings.weights
        weights = ensure(start, settings.models_dir, progress=world.speaks)
        sizes = (int(weights.config["crop_px"]), SFACE_PX)  # the run is calibrated beside SFace too
        if not world.speaks:
            world.wait()  # the first process finds the faces, the others read them
        split = split_for(args, store_of(settings, args.face, sizes), folder if world.speaks else None)
        if world.speaks:
            world.wait()
        job = Job(
            recipe, weights, folder, settings.models_dir, args.seed, args.embedding_dim, args.distil, args.workers
        )
        if world.speaks:
            _say(note, f"validation: {split.origin}", *split.warnings)
        preprocessing = {"detector": settings.detector, "min_face_px": settings.min_face_px, "face": args.face}
        try:
            trained = train_in_order(
                job, split, world, resume=args.resume, preprocessing=preprocessing
            )  # fmt: skip
        except KeyboardInterrupt:
            _say(f"The epochs that were finished are kept in {folder}. Run the same command with --resume to go on.")
            raise
        if world.speaks:
            _calibrate(folder, settings, split)
            print(_outcome(folder, trained))
    return 0


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The named recipe with what the command line says instead."""
    from reid.errors import SettingsError
    from trainer.recipes import RECIPES

    given = {
        "epochs": args.epochs,
        "batch": args.batch,
        "lr_backbone": args.lr_backbone,
        "lr_head": args.lr_archead,
        "sub_centres": args.sub_centres,
        "adaface": args.adaface or None,
    }
    recipe = replace(RECIPES[args.recipe], **{name: value for name, value in given.items() if value is not None})
    if recipe.before:  # its rates and its batch are its own; a quick try stays quick
        epochs = min(recipe.before.epochs, args.epochs or recipe.before.epochs)
        before = replace(recipe.before, epochs=epochs, adaface=recipe.adaface, sub_centres=recipe.sub_centres)
        recipe = replace(recipe, before=before)
    for name in ("epochs", "batch", "lr_backbone", "lr_head", "sub_centres"):
        if getattr(recipe, name) <= 0:
            raise SettingsError(f"--{name.replace('_', '-')} must be above 0. Correct it or leave it out.")
    return recipe


def store_of(settings: Settings, face: str, sizes_px: tuple[int, ...]) -> FaceStore:
    """The cache of aligned crops of the settings' detector."""
    from reid.detect import load_detector
    from trainer.data import FaceStore

    detector = load_detector(
        settings.detector, models_dir=settings.models_dir, min_face_px=settings.min_face_px, device=settings.device
    )
    cache = settings.models_dir / "cache" / "faces"
    return FaceStore(cache, detector, face, sizes_px, min_face_px=settings.min_face_px)  # type: ignore[arg-type]


def split_for(args: argparse.Namespace, store: FaceStore, folder: Path | None) -> Split:
    """Faces of every table that was given; those without are listed in `folder`."""
    from trainer.data import read_photos, summarise, usable
    from trainer.splits import split_of

    tables = (
        ("for training", args.train_csv, True),
        ("to choose by", args.val_csv, True),
        ("of strangers", args.strangers_csv, False),
        ("without labels", args.unlabelled, False),
    )
    found: list[list[FoundFace]] = []
    for what, table, labelled in tables:
        faces = store.find(read_photos(table, args.root_dir, labelled=labelled), what) if table else []
        if faces and folder is not None:
            _say(summarise(faces, what))
        found.append(faces)
    if folder is not None:
        _list_skipped(folder, [face for faces in found for face in faces if face.status != "ok"])
    train, validation, strangers, unlabelled = (usable(faces) for faces in found)
    return split_of(train, validation=validation, strangers=strangers, unlabelled=unlabelled, seed=args.seed)


def _calibrate(folder: Path, settings: Settings, split: Split) -> None:
    """Gives the run thresholds of its validation strangers, alone and in the default space; too few are said."""
    import numpy as np

    from reid.errors import CalibrationError, WeightsError
    from reid.space import EmbeddingSpace
    from trainer import runs
    from trainer.embeddings import EmbeddingCache
    from trainer.evaluate import stranger_threshold
    from trainer.templates import templates_of

    if not split.strangers:
        return
    cache = EmbeddingCache(settings.models_dir / "cache" / "embeddings")
    classes = np.array([split.class_of(face) for face in split.train])
    for name in ("facenet", "auto"):
        try:
            space = EmbeddingSpace.load(name, str(folder), settings.models_dir, device=settings.device)
            templates = templates_of(cache.embed(space, split.train, "gallery"), classes, len(split.labels))
            runs.keep_threshold(folder, space.id, stranger_threshold(space, templates, split.strangers, cache))
        except (CalibrationError, WeightsError) as error:
            _say(f"The run has no threshold of its own in the space {name}. {error}")


def _list_skipped(folder: Path, faces: list[FoundFace]) -> None:
    from reid.weights.files import storage_errors, write_together

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_path", "status", "reason"])
    writer.writerows((face.image_path, face.status, face.reason) for face in faces)
    with storage_errors(folder):
        write_together(folder, {_SKIPPED: text.getvalue().encode()})
    common.report_problems([face.reason for face in faces])


def _outcome(folder: Path, trained: object) -> str:
    from trainer.job import Trained

    assert isinstance(trained, Trained)
    lines = [f"weights in {folder}: {trained.best_epoch} epochs, share of the trained weights {trained.alpha:g}"]
    if trained.frozen and trained.tuned:
        fpir = f"{trained.frozen.fpir:.0%}"
        lines.append(f"validation, DIR at FPIR {fpir}   frozen   tuned")
        lines.append(f"  photographs as they are   {trained.frozen.clean:.4f}   {trained.tuned.clean:.4f}")
        lines.append(f"  faces of 20 to 40 px      {trained.frozen.degraded:.4f}   {trained.tuned.degraded:.4f}")
        if trained.frozen.strangers is not None and trained.tuned.strangers is not None:
            lines.append(f"  pairs of strangers        {trained.frozen.strangers:.4f}   {trained.tuned.strangers:.4f}")
        if trained.alpha == 0:
            lines.append("Nothing that was trained did better than the weights it started from: those were kept.")
    return "\n".join(lines)


def _say(*lines: str) -> None:
    for line in lines:
        if line:
            print(line, file=sys.stderr)
