"""Gradio is imported without rewriting its stubs, whatever else its module does."""

import importlib.util
import sys

import gradio.component_meta

from reid import quick_gradio


def test_gradio_still_writes_stubs_on_import_by_itself():
    assert callable(getattr(gradio.component_meta, quick_gradio._WRITES, None)), "then reid.quick_gradio can go"


def test_the_module_is_loaded_whole_but_for_what_writes_stubs(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, quick_gradio._MODULE)
    quick_gradio.without_stubs()
    quick_gradio.without_stubs()
    assert sum(isinstance(finder, quick_gradio._Finder) for finder in sys.meta_path) == 1
    spec = importlib.util.find_spec(quick_gradio._MODULE)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh.create_or_modify_pyi is quick_gradio._nothing
    assert set(vars(gradio.component_meta)) <= set(vars(fresh))


def test_other_modules_are_nobodys_business():
    assert quick_gradio._Finder().find_spec("gradio.blocks", None) is None
