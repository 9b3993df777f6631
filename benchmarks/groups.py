#!/usr/bin/env python3
"""How well photographs of strangers are grouped by likeness alone, by linkage and threshold.

usage: benchmarks/groups.py --lfw-dev FOLDER [--photographs 450]

People of the validation files, at most eight photographs each, the face in the middle, in the default space:
    together  share of the pairs of one person's photographs that are in one group
    mixed     groups that hold more than one person
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from reid.describe import Describer
from reid.grouping import groups_of
from reid.settings import Settings
from reid.tables import read_rows
from reid.threshold import measured_default

MOST_OF_ONE = 8


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, required=True)
    parser.add_argument("--photographs", type=int, default=450)
    args = parser.parse_args()
    describer = Describer.load(Settings.from_env(), progress=False)
    people: dict[str, list[str]] = {}
    for table in ("probes_val.csv", "unknown_val.csv"):
        for row in read_rows(args.lfw_dev / table, labelled=False):
            own = people.setdefault(row.image_path.split("/")[0], [])
            if row.image_path not in own and len(own) < MOST_OF_ONE:
                own.append(row.image_path)
    names = sorted(people)
    np.random.default_rng(0).shuffle(names)
    paths = [path for name in names for path in people[name]][: args.photographs]
    files = [(args.lfw_dev / "images" / path, path) for path in paths]
    found = [one for one in describer.describe_files(files, "central") if one.templates]
    rows = np.stack([one.templates[0].embedding for one in found])
    who = np.array([one.name.split("/")[0] for one in found])
    upper = np.triu_indices(len(rows), 1)
    same = (who[:, None] == who[None])[upper]
    own_threshold = measured_default(describer.space.id).value
    print(
        f"{len(rows)} photographs of {len(set(who))} people, {same.sum()} pairs of one person, {describer.space.name}"
    )
    print(f"{'threshold':>10}{'linkage':>10}{'together':>10}{'mixed':>7}{'groups':>8}")
    for threshold in (0.40, own_threshold, 0.55):
        for linkage in ("average", "complete", "single", "ours"):
            if linkage == "ours":
                labels = np.zeros(len(rows), int)
                for number, group in enumerate(groups_of(rows, threshold)):
                    labels[group] = number
            else:
                labels = AgglomerativeClustering(
                    n_clusters=None, distance_threshold=1 - threshold, metric="cosine", linkage=linkage
                ).fit_predict(rows)
            together = (labels[:, None] == labels[None])[upper][same].mean()
            mixed = sum(len(set(who[labels == label])) > 1 for label in set(labels))
            several = sum((labels == label).sum() > 1 for label in set(labels))
            print(f"{threshold:>10.3f}{linkage:>10}{together:>10.3f}{mixed:>7}{several:>8}")


if __name__ == "__main__":
    main()
