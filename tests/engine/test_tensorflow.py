import gc
import os

import tensorflow as tf

import lossviz.engine
from lossviz.engine import load_tensorflow


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


def test_engine_lists_what_it_offers():
    names = lossviz.engine.__all__
    assert sorted(names) == names
    assert all(getattr(lossviz.engine, name).__doc__ for name in names)
