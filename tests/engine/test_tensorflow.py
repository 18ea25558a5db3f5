import gc
import os
import sys

import pytest
import tensorflow as tf

import lossviz.engine
from lossviz.engine import _tensorflow, load_tensorflow


def test_load_tensorflow_returns_the_module_and_freezes_once():
    assert load_tensorflow() is tf
    frozen = gc.get_freeze_count()
    assert frozen > 100_000
    keep = [[] for _ in range(10)]
    assert load_tensorflow() is tf
    assert frozen == gc.get_freeze_count()
    assert len(keep) == 10
    assert gc.isenabled()


def test_tensorflow_keeps_its_notes_to_itself():
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"


@pytest.mark.parametrize(
    ("level", "jax", "found"),
    [(None, False, "3"), (None, True, "3"), ("1", True, "3"), ("1", False, "1"), ("0", True, "0"), ("2", False, "2")],
)
def test_tensorflow_keeps_a_level_that_someone_chose_but_not_that_of_jax(level, jax, found, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level or "")
    if level is None:
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    monkeypatch.setitem(sys.modules, "jax", None)
    if not jax:
        monkeypatch.delitem(sys.modules, "jax")
    _tensorflow._silence()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == found


def test_engine_lists_what_it_offers():
    names = lossviz.engine.__all__
    assert sorted(names) == names
    assert all(getattr(lossviz.engine, name).__doc__ for name in names)
