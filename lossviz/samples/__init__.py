"""The batches that come with lossviz: recorded from a trained model, worked by hand, or wrong on purpose.

They lie in `sample_data/`, with the scripts that make them (`make samples`). A large one (32 × 512 × 50,257) is not
shipped; `sample_data/make_large.py` makes it where it is needed.
"""

from pathlib import Path

from lossviz.errors import InputError, did_you_mean
from lossviz.formats import Fields, read
from lossviz.samples._recorded import RECORDED_SAMPLES
from lossviz.samples._sample import GROUPS, ODD, RECORDED, WORKED, Sample
from lossviz.samples._written import WRITTEN_SAMPLES

__all__ = [
    "DEFAULT",
    "GROUPS",
    "ODD",
    "RECORDED",
    "SAMPLES",
    "WORKED",
    "Sample",
    "load_sample",
    "sample_folder",
    "sample_path",
]

DEFAULT = "alice-trained"
SAMPLES: tuple[Sample, ...] = tuple(sorted((*RECORDED_SAMPLES, *WRITTEN_SAMPLES), key=lambda sample: sample.name))


def sample_path(name: str) -> Path:
    """Where a sample's file lies, in a checkout or in an installed package.

    Raises:
        InputError: if there is no sample of that name.

    >>> sample_path("golden").name
    'golden.json'
    >>> sample_path("gold")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lossviz.errors.InputError: There is no sample `gold`. Did you mean `golden`? There are alice-kept-out, ...
    """
    return sample_folder() / _find(name).file


def load_sample(name: str = DEFAULT) -> Fields:
    """Read a sample as the arguments of `Batch.from_arrays`, its title among them.

    Raises:
        InputError: if there is no sample of that name.

    >>> fields = load_sample("lengths-3-4-2")
    >>> fields["lengths"].tolist(), fields["title"]
    ([3, 4, 2], 'Lengths 3, 4 and 2')
    """
    return {**read(sample_path(name)), "title": _find(name).title}


def sample_folder() -> Path:
    """The folder `sample_data`, in a checkout or in an installed package.

    >>> (sample_folder() / "golden.json").is_file()
    True
    """
    here = Path(__file__).parents[1]
    installed = here / "_sample_data"
    return installed if installed.is_dir() else here.parent / "sample_data"


def _find(name: str) -> Sample:
    by_name = {sample.name: sample for sample in SAMPLES}
    if name not in by_name:
        raise InputError(f"There is no sample `{name}`.{did_you_mean(name, by_name)} There are {', '.join(by_name)}.")
    return by_name[name]
