"""An automated accessibility check of every tab and dialog, light and dark, wide and narrow (axe-core)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser import Surfer, go, search
from fakes import fake_recognizer, photograph, save
from playwright.sync_api import Page

from reid.recognizer import Recognizer
from reid.rights.expiry import utc_today
from reid.unknowns import Keeping, choose_keeping, keep_strangers

pytestmark = pytest.mark.browser

GRADIOS_OWN = {
    # (rule, part of the selector): what Gradio draws and cannot be told not to
    ("label-content-name-mismatch", "upload-container"),
    ("nested-interactive", "upload-container"),
    ("nested-interactive", "toast"),
}


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path_factory.mktemp("access"))
    for person, name in enumerate(("Ann", "Bob", "Cem")):
        made.enrol(name, [made.sample(photograph([person], f"{name}-{n}.png", patch_px=100 + n)) for n in range(3)])
    made.enrol("Anne", [made.sample(photograph([0], "anne.png", patch_px=110))])
    choose_keeping(made.gallery, Keeping(True, 2))
    for number, people in enumerate(([3], [3, 4], [2])):
        shown = photograph(people, f"gate {number}.png", patch_px=100 + number)
        keep_strangers(made, shown.name, shown.sha256, made.describe(shown, made.detect(shown)))
    choose_keeping(made.gallery, Keeping(False, 2))
    ann = made.gallery.identities()[0]
    made.gallery.edit(ann.id, metadata={"expires": (utc_today() + timedelta(days=3)).isoformat()})
    made.audit.asking = "optional"
    yield made
    made.close()


def violations(page: Page) -> list[str]:
    """Serious and critical ones of ours, a line each."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python carries axe-core")
    page.evaluate(Path(axe.__path__[0], "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    lines = []
    for violation in found["violations"]:
        if violation["impact"] not in {"serious", "critical"}:
            continue
        for node in violation["nodes"]:
            target = " ".join(map(str, node["target"])) + node["html"]
            if not any(violation["id"] == rule and part in target for rule, part in GRADIOS_OWN):
                lines.append(f"{violation['id']}: {node['target']} {node['html'][:160]}")
    return lines


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_no_tab_has_a_serious_violation(surfer: Surfer, tmp_path: Path, width: int, dark: bool) -> None:
    page = surfer.open(width=width, dark=dark)
    found = {"empty": violations(page)}
    search(page, save(tmp_path / "group.jpg", [0, 3, 2]))
    found["probe"] = violations(page)
    page.click(".bf-insp button:has-text('Compare')")
    page.wait_for_selector("#compare-dialog .bf-cmp")
    found["compare"] = violations(page)
    page.keyboard.press("Escape")
    go(page, "verify")
    both = [str(save(tmp_path / f"{n}.jpg", people)) for n, people in enumerate(([0, 3], [2]))]
    page.set_input_files("#verify-first input[type=file]", both)
    page.wait_for_selector("#bf-verify-answer .bf-scale")
    found["verify"] = violations(page)
    go(page, "enrol")
    page.set_input_files("#enrol-files input[type=file]", [str(save(tmp_path / "again.jpg", [0], patch_px=130))])
    page.wait_for_selector(".bf-dupq")
    found["enrol"] = violations(page)
    go(page, "threshold")
    page.wait_for_selector("#bf-plots svg >> visible=true")
    found["threshold"] = violations(page)
    go(page, "unknowns")
    page.wait_for_selector(".bf-group")
    page.check(".bf-group [data-select] >> nth=0")
    found["unknowns"] = violations(page)
    go(page, "gallery")
    page.wait_for_selector("#bf-ending .bf-dup")
    found["gallery"] = violations(page)
    page.click(".bf-person >> nth=0")
    page.wait_for_selector(".bf-phead")
    found["person"] = violations(page)
    page.click("button:has-text('What is held')")
    found["what is held"] = violations(page)
    page.click("#held-dialog [data-dialog-close]")
    page.click("button:has-text('Erase')")
    found["erase"] = violations(page)
    page.keyboard.press("Escape")
    go(page, "audit")
    page.click(".bf-audit__d summary >> nth=1")
    found["audit"] = violations(page)
    assert {place: lines for place, lines in found.items() if lines} == {}
    page.context.close()
