"""The model card of a run: what it is for, what it learned from and what was measured, out of metrics.json alone.

Knows numbers and sentences; reads no photographs and names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_INTENDED = """\
Open-set face identification: telling who of an enrolled gallery is on a photograph, or that nobody enrolled is. For
people who search faces that they are entitled to search, with a person who looks at the evidence before anything is
decided. Not for proof of identity, not for liveness, not for guessing age, sex, origin or mood."""

_LIMITS = """\
- A similarity is no proof. Siblings and people who look alike reach high ones.
- False alarms grow with the gallery: the thresholds here were measured with the number of people stated beside them.
- Figures are from the photographs described above; yours differ. Measure with `byteface evaluate` on your own.
- Nothing here tells a face from a picture of a face."""


def model_card(config: Mapping[str, Any], metrics: Mapping[str, Any], repo_id: str, forced: list[str]) -> str:
    """README.md with its YAML head.

    Args:
        config: of the run.
        metrics: of the run.
        forced: reasons for which the gate refused and somebody published all the same; empty when it passed.
    """
    parts = [_front_matter(config), f"# {repo_id.split('/')[-1]}\n"]
    if forced:
        reasons = "\n".join(f"> - {reason}" for reason in forced)
        parts.append(f"> **Published against the gate.** It refused this run:\n{reasons}\n")
    parts += [
        f"Inception-ResNet V1 with a {config['embedding_dim']}-D embedding, fine-tuned with "
        f"[ByteFace](#use) by the recipe `{config['recipe']['name']}`.\n",
        f"## Intended use\n\n{_INTENDED}\n",
        f"## Data\n\n{_data(config, metrics)}\n",
        f"## Measured\n\n{_measured(metrics)}\n",
        f"## Use\n\n{_use(config, repo_id)}\n",
        f"## Limits\n\n{_LIMITS}\n",
        f"## Licence\n\n{_licence(config)}\n",
    ]
    return "\n".join(parts)


def _front_matter(config: Mapping[str, Any]) -> str:
    licence = str(config.get("licence") or "")
    name = "mit" if licence.startswith("MIT") else "apache-2.0" if licence.startswith("Apache") else "other"
    return (
        f"---\nlicense: {name}\nlibrary_name: byteface\npipeline_tag: image-feature-extraction\n"
        "tags:\n- face-recognition\n- face-identification\n- open-set\n- arcface\n---\n"
    )


def _data(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    base, training = config["base"], metrics.get("training", {})
    lines = [
        f"- Started from `{base['source']}` (weights SHA-256 `{base['weights_sha256'][:16]}…`), trained on "
        f"{base.get('training_data') or 'photographs that its publisher does not state'}.",
        f"- Fine-tuned on {training.get('photographs', 0):,} photographs of {training.get('people', 0):,} people"
        + (f" and {training['unlabelled']:,} without labels" if training.get("unlabelled") else "")
        + ". None of them, no name and no class weight is in this repository.",
        f"- Chosen by: {training.get('validation', 'nothing; no validation was possible')}.",
        f"- Share of the fine-tuned weights in the mean with the starting ones: {config['alpha']:g}.",
    ]
    if config.get("notice"):
        lines.append(f"- {config['notice']}")
    return "\n".join(lines)


def _measured(metrics: Mapping[str, Any]) -> str:
    spaces = metrics.get("evaluation", {})
    if not spaces:
        return "Nothing was measured on people outside of training: treat these weights as untested."
    return "\n\n".join(_space(name, result) for name, result in spaces.items()) + (
        "\n\nDIR: detection and identification rate, right person and above the threshold, where the stated share of "
        "the searches by people who are not enrolled raises an alarm (FPIR). In brackets: 95 % bootstrap interval over "
        "people. From 30 alarms on a figure carries a claim, from 3 on it is a hint, below that it is left out."
        "\n\n![DET curves](det.png)\n\n![Similarities](similarities.png)"
    )


def _space(name: str, result: Mapping[str, Any]) -> str:
    roles = [role for role in ("frozen", "against", "tuned") if role in result]
    names = [str(result[role]["space"]).split(":")[0] if role == "against" else role for role in roles]
    first = result[roles[-1]]
    lines = [
        f"### `{name}`\n",
        f"{first['open_set']['mated']:,} mated and {first['open_set']['nonmated']:,} non-mated searches against "
        f"{first['gallery']['people']:,} people with {first['gallery']['photographs']:,} photographs "
        f"(`{result['probes']['eval_csv']}`).\n",
        "| | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(roles),
    ]
    lines.append(_row("rank-1, closed set", [f"{result[role]['closed_set']['rank1']:.4f}" for role in roles]))
    for fpir in ("0.1", "0.01", "0.001"):
        rates = [result[role]["open_set"]["dir_at_fpir"].get(fpir) for role in roles]
        if any(rates):
            lines.append(_row(f"DIR at FPIR {float(fpir):.1%}", [_interval(rate) for rate in rates]))
    checks = [result[role].get("verification") for role in roles]
    if all(checks):
        cells = [_interval(one["ten_fold"]) for one in checks]
        lines.append(_row(f"verification, ten-fold, {checks[0]['pairs']:,} pairs", cells))
    for fpir, change in result.get("difference", {}).get("dir_at_fpir", {}).items():
        text = f"{change['value']:+.4f} [{change['low']:+.4f}, {change['high']:+.4f}]"
        lines.append(f"\nTuned minus {names[0]} at FPIR {float(fpir):.1%}, paired over people: {text}.")
    if interval := result.get("difference", {}).get("verification_interval"):
        change = result["difference"]["verification"]
        lines.append(f"\nTuned minus {names[0]}, verification: {change:+.4f} [{interval[0]:+.4f}, {interval[1]:+.4f}].")
    return "\n".join(lines) + _groups(first.get("groups"))


def _groups(fairness: Mapping[str, Any] | None) -> str:
    if not fairness:
        return "\n\nBy group: not measured; the evaluation CSV had no `group` column."
    rows = ["\n\n| group | searches | FPIR | FNIR |", "|---|---|---|---|"]
    for one in fairness["groups"]:
        fpir = f"{one['fpir']:.4f}" if one["alarms"] >= 3 else "too few alarms"
        fnir = f"{one['fnir']:.4f}" if one["fnir"] is not None else "no mated searches"
        rows.append(_row(one["group"], [f"{one['searches']:,}", fpir, fnir]))
    return "\n".join(rows)


def _row(title: str, cells: list[str]) -> str:
    return f"| {title} | " + " | ".join(cells) + " |"


def _interval(one: Mapping[str, Any] | None) -> str:
    if not one:
        return "too few alarms"
    hint = " (hint)" if one.get("support") == "hint" else ""
    return f"{one['value']:.4f} [{one['low']:.3f}, {one['high']:.3f}]{hint}"


def _use(config: Mapping[str, Any], repo_id: str) -> str:
    made = config.get("preprocessing", {})
    return (
        f"```\nbyteface predict --weights hub:{repo_id} --space facenet ...\n```\n\n"
        f"Faces found by `{made.get('detector')}`, aligned by five landmarks to {config['crop_px']} px, "
        f"standardised `{config['standardisation']}`, averaged with their mirror images. config.json has all of it."
    )


def _licence(config: Mapping[str, Any]) -> str:
    return f"{config.get('licence') or 'Not stated'}, as that of the weights it started from."
