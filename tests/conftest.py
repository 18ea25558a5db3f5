"""Batches that several tests share."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

# Several workers share the cores: one thread of PyTorch each costs a third less than two that wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from lossviz import Batch
from tests.golden import FRACTIONAL, golden_batch

# The first example of a law may load TensorFlow or trace a graph: time says nothing about it.
settings.register_profile("lossviz", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lossviz")


@cache
def stand_back() -> None:
    """Let this worker give way: the browser's tests, one after the other, decide how long all of them take."""
    if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "nice"):
        os.nice(10)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not any(mark.args == ("browser",) for mark in item.iter_markers("xdist_group")):
        stand_back()


@pytest.fixture
def x64_as_it_was() -> Iterator[None]:
    """The scripts of JAX turn float64 on for their process, and other tests are for JAX as it comes."""
    import jax

    before = jax.config.jax_enable_x64
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="session")
def golden() -> Batch:
    """The golden batch of spec/conventions.md with its lengths, pad id 0 and eos id 1."""
    return golden_batch(pad_id=0, eos_id=1)


@pytest.fixture(scope="session")
def golden_weighted() -> Batch:
    """The golden batch with `w_frac`, whose sum is 10.5 over 11 timesteps, and no lengths."""
    return golden_batch(lengths=None, weights=FRACTIONAL)


@pytest.fixture(scope="session")
def small() -> Callable[..., Batch]:
    """Two sequences of three timesteps and four classes, uniform logits (loss ln 4), lengths [3, 1]; with changes."""

    def make(**changes: Any) -> Batch:
        arguments = {"logits": np.zeros((2, 3, 4)), "targets": [[1, 2, 3], [3, 0, 0]], "lengths": [3, 1]}
        return Batch.from_arrays(**{**arguments, **changes})

    return make
