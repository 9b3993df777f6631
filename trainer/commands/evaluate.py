"""`byteface evaluate`: what a run is worth on people it never saw, beside the weights it started from."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reid.commands import common
from trainer.templates import TEMPLATE_RULES

if TYPE_CHECKING:
    from reid.settings import Settings
    from reid.space import EmbeddingSpace
    from trainer.data import FoundFace
    from trainer.evaluate import Evaluated, Pair, Protocol

_LABELS, _DET, _HISTOGRAM = "label_errors.csv", "det.png", "similarities.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Tables first, then what is measured."""
    parser.add_argument("--run", type=Path, help="run folder to score; without it, --weights are scored")
    common.add_table(parser, "--gallery-csv", "photographs of the enrolled: image_path and gt")
    parser.add_argument("--eval-csv", type=Path, required=True, help="probes: image_path, gt, and group where wanted")
    parser.add_argument("--eval-root-dir", type=Path, help="folder that the probes' paths start from [--root-dir]")
    parser.add_argument("--eval-face", choices=("largest", "central"), help="which face of the probes [--face]")
    parser.add_argument("--strangers-csv", type=Path, help="further strangers, to choose a threshold by")
    parser.add_argument("--pairs-csv", type=Path, help="image_path_a, image_path_b, same: for verification")
    other = parser.add_mutually_exclusive_group()
    other.add_argument(
        "--compare", metavar="WEIGHTS", help="also score these weights, such as ms1m, with the difference"
    )
    other.add_argument("--against", metavar="SPACE", help="also score this space, such as sface, with the difference")
    parser.add_argument("--templates", choices=TEMPLATE_RULES, default="mean", help="how templates are made [mean]")
    parser.add_argument("--out", type=Path, help="folder of metrics.json and plots [the run's, or models/evaluation]")
    parser.add_argument("--report", type=Path, help="also write one row a probe, as predict does")
    common.add_face(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Scores, prints the table, writes metrics.json, plots and the list of probable label errors."""
    from reid.threshold import from_json
    from trainer import evaluate, runs
    from trainer.embeddings import EmbeddingCache

    settings = common.settings_of(args, of_gallery=False)
    name = args.space or "facenet"
    out = args.out or args.run or settings.models_dir / "evaluation"
    if args.run:
        runs.read_run(args.run)
    wanted = {"tuned" if args.run else "scored": str(args.run or settings.weights)}
    spaces = {role: _space(name, weights, settings) for role, weights in wanted.items()}
    if args.compare:
        spaces["frozen"] = _space(name, args.compare, settings)
    if args.against:
        spaces["against"] = _space(args.against, settings.weights, settings)
    sizes = sorted({network.crop_px for space in spaces.values() for network in space.networks})
    protocol, warnings = _protocol(args, settings, tuple(sizes))
    for warning in warnings:
        print(warning, file=sys.stderr)
    cache = EmbeddingCache(settings.models_dir / "cache" / "embeddings")
    systems = {role: evaluate.evaluate(space, protocol, cache, rule=args.templates) for role, space in spaces.items()}
    first = next(iter(systems.values()))
    result: dict[str, Any] = {role: evaluate.as_json(found, protocol) for role, found in systems.items()}
    if len(systems) == 2:
        result["difference"] = _difference(*reversed(systems.values()))
    known = runs.read_metrics(out).get("evaluation", {})
    runs.merge_metrics(out, {"evaluation": {**known, name: {**result, "probes": _described(args, protocol)}}})
    if args.run and "threshold" in first.transfer:
        runs.keep_threshold(args.run, first.space_id, from_json(first.transfer["threshold"]))
    _write_files(out, name, systems)
    if args.report:
        _write_report(args.report, first, protocol)
    print(table(result))
    print(f"metrics and plots in {out}")
    return 0


def table(result: Mapping[str, Any]) -> str:
    """Systems side by side, for people."""
    roles = [role for role in ("frozen", "against", "tuned", "scored") if role in result]
    change_of = f"{roles[-1]} - {roles[0]}"
    lines = [f"{'':34s}" + "".join(f"{role:>26s}" for role in roles)]

    def line(title: str, cells: list[str]) -> None:
        lines.append(f"{title:34s}" + "".join(f"{cell:>26s}" for cell in cells))

    for rank in result[roles[0]]["closed_set"]:
        line(f"closed set, {rank}", [f"{result[role]['closed_set'][rank]:.4f}" for role in roles])
    for fpir in ("0.1", "0.01", "0.001"):
        found = [result[role]["open_set"]["dir_at_fpir"].get(fpir) for role in roles]
        hint = "" if not found[0] or found[0]["support"] == "claim" else " (hint)"
        if any(found):
            line(f"DIR at FPIR {float(fpir):.1%}{hint}", [_cell(one) for one in found])
    for size in result[roles[0]]["by_face_px"]:
        sized = [result[role]["by_face_px"][size] for role in roles]
        cells = [one["dir_at_fpir"].get("0.01") or one["dir_at_fpir"].get("0.1") for one in sized]
        line(f"DIR, faces of {size} px", [_cell(cell) for cell in cells])
    checks = [result[role]["verification"] for role in roles]
    if all(checks):
        line(f"verification, {checks[0]['pairs']} pairs", [_cell(one["ten_fold"]) for one in checks])
    moved = [result[role]["transfer"] for role in roles]
    if all(one and "fpir" in one for one in moved):
        line("FPIR at the strangers' threshold", [f"{one['fpir']:.4f} ({one['alarms']} alarms)" for one in moved])
    for fpir, change in result.get("difference", {}).get("dir_at_fpir", {}).items():
        line(
            f"{change_of} at FPIR {float(fpir):.1%}",
            [f"{change['value']:+.4f} [{change['low']:+.4f}, {change['high']:+.4f}]"],
        )
    if interval := result.get("difference", {}).get("verification_interval"):
        change = result["difference"]["verification"]
        line(f"{change_of}, verification", [f"{change:+.4f} [{interval[0]:+.4f}, {interval[1]:+.4f}]"])
    return "\n".join(lines)


def _cell(one: Mapping[str, float] | None) -> str:
    return f"{one['value']:.4f} [{one['low']:.3f}, {one['high']:.3f}]" if one else "too few alarms"


def _space(name: str, weights: str, settings: Settings) -> EmbeddingSpace:
    from reid.space import EmbeddingSpace

    return EmbeddingSpace.load(name, weights, settings.models_dir, device=settings.device)


def _protocol(args: argparse.Namespace, settings: Settings, sizes: tuple[int, ...]) -> tuple[Protocol, list[str]]:
    from trainer.commands.train import store_of
    from trainer.data import read_photos, summarise
    from trainer.evaluate import protocol_of

    store = store_of(settings, args.face, sizes)
    probe_store = store_of(settings, args.eval_face, sizes) if args.eval_face else store
    root = args.eval_root_dir or args.root_dir
    gallery = store.find(read_photos(args.gallery_csv, args.root_dir, labelled=True), "gallery")
    probes = probe_store.find(read_photos(args.eval_csv, root, labelled=True), "probes")
    strangers: list[FoundFace] = []
    if args.strangers_csv:
        strangers = store.find(read_photos(args.strangers_csv, args.root_dir, labelled=False), "strangers")
    pairs = _pairs(args, store) if args.pairs_csv else []
    for what, faces in (("enrolled", gallery), ("searched", probes), ("of strangers", strangers)):
        if faces:
            print(summarise(faces, what), file=sys.stderr)
            common.report_problems([face.reason for face in faces if face.status != "ok"])
    return protocol_of(gallery, probes, groups=_groups(args.eval_csv), strangers=strangers, pairs=pairs)


def _groups(table: Path) -> list[str]:
    """The `group` column of the probes; empty without one."""
    frame = pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    return frame["group"].tolist() if "group" in frame.columns else []


def _pairs(args: argparse.Namespace, store: Any) -> list[Pair]:
    from reid.errors import TableError
    from reid.tables import inside
    from trainer.data import Photo
    from trainer.evaluate import Pair

    if not args.pairs_csv.is_file():
        raise TableError(f"There is no file {args.pairs_csv}. Check the path of --pairs-csv.")
    frame = pd.read_csv(args.pairs_csv, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    missing = {"image_path_a", "image_path_b", "same"} - set(frame.columns)
    if missing:
        raise TableError(
            f"{args.pairs_csv.name} has no column {', '.join(sorted(missing))}. Name it in the first line."
        )
    paths = list(dict.fromkeys([*frame["image_path_a"], *frame["image_path_b"]]))
    photos = [Photo(path, inside(args.root_dir, path), None) for path in paths]
    faces = {face.image_path: face for face in store.find(photos, "pairs")}
    columns = zip(frame["image_path_a"], frame["image_path_b"], frame["same"], strict=True)
    return [
        Pair(faces[first], faces[second], same.strip().lower() in {"1", "true", "yes"})
        for first, second, same in columns
    ]


def _difference(before: Evaluated, after: Evaluated) -> dict[str, Any]:
    from reid import metrics
    from trainer.verification import paired_tenths

    changes = {}
    for rate in after.open_set.rates:
        if rate.support != "none":
            change = metrics.paired_difference(before.searches, after.searches, rate.fpir)
            changes[f"{rate.fpir:g}"] = {**asdict(change), "alarms": rate.alarms, "support": rate.support}
    both = before.verification, after.verification
    moved = paired_tenths(both[0], both[1]) if both[0] and both[1] else None
    return {
        "dir_at_fpir": changes,
        "verification": moved.value if moved else None,
        "verification_interval": [moved.low, moved.high] if moved else None,
    }


def _described(args: argparse.Namespace, protocol: Protocol) -> dict[str, Any]:
    return {
        "eval_csv": args.eval_csv.name,
        "photographs": len(protocol.probes),
        "strangers_csv": args.strangers_csv.name if args.strangers_csv else None,
        "pairs_csv": args.pairs_csv.name if args.pairs_csv else None,
        "face": args.eval_face or args.face,
    }


def _write_files(out: Path, space: str, systems: Mapping[str, Evaluated]) -> None:
    """Plots and probable label errors; those of another space than `facenet` bear its name."""
    from reid.weights.files import storage_errors, write_together
    from trainer.plots import det_plot, similarity_plot

    first = next(iter(systems.values()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ("kind", "image_path", "label", "other_path", "other_label", "similarity", "own_similarity")
    writer.writerow(columns)
    writer.writerows([getattr(one, column) for column in columns] for one in first.suspicions)
    curves = {one.space_id.split(":")[0] if role == "against" else role: one.searches for role, one in systems.items()}
    files = {_DET: det_plot(curves), _HISTOGRAM: similarity_plot(first.searches), _LABELS: text.getvalue().encode()}
    if space != "facenet":
        files = {f"{Path(name).stem}-{space}{Path(name).suffix}": data for name, data in files.items()}
    with storage_errors(out):
        write_together(out, files)
    if first.suspicions:
        print(f"{len(first.suspicions)} probable label errors in {out}: look at label_errors*.csv.", file=sys.stderr)


def _write_report(path: Path, found: Evaluated, protocol: Protocol) -> None:
    from reid.tables import REPORT_COLUMNS, write_csv
    from reid.threshold import from_json
    from trainer.evaluate import report_rows

    threshold = from_json(found.transfer["threshold"]).value if "threshold" in found.transfer else 1.0
    write_csv(path, pd.DataFrame(report_rows(found, protocol, threshold), columns=list(REPORT_COLUMNS)))
