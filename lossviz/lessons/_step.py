"""A step of a lesson as data: what is on the screen, what is asked, what is said afterwards."""

from dataclasses import dataclass

from lossviz.lessons._asks import Ask, Cell
from lossviz.settings import Settings

__all__ = ["AFTER", "BEFORE", "PAGES", "Chapter", "Door", "Program", "Screen", "Step"]

BEFORE = ("nothing", "targets", "losses", "unpadded", "mask", "logits", "cell")
"""What may stand beside a question: never the picture that answers it."""
AFTER = ("equation", "mask", "cell", "value")
"""The picture that answers it: the equation, the mask, one timestep's arithmetic, or the reduced numbers."""
PAGES = ("explore", "doctor", "reductions", "identify", "train")


USUAL = Settings()


@dataclass(frozen=True)
class Screen:
    """A batch with its settings, and which figure of it is shown before and after the commitment.

    Attributes:
        batch: one of `BATCHES`, a sample's name among them.
        settings: mask and reduction, each timestep that counts alike by default.
        before: one of `BEFORE`; after: one of `AFTER`.
        cell: the timestep that is outlined and explained after the commitment, or None.
        example: the timestep that "cell" explains before it.
        variants: other batches to switch to after the commitment, by their labels.
        flags: whether the four flags of `sequence_loss` can be switched after the commitment.
    """

    batch: str
    settings: Settings = USUAL
    before: str = "losses"
    after: str = "equation"
    cell: Cell | None = None
    example: Cell | None = None
    variants: tuple[tuple[str, "Screen"], ...] = ()
    flags: bool = False


@dataclass(frozen=True)
class Program:
    """The step's code in both libraries; lines that end with `#!` are the ones that the step is about.

    It finds `logits`, `targets`, `lengths`, `weights`, `inputs` and `losses` of the step's batch, and leaves `result`.
    """

    tensorflow: str
    pytorch: str
    result: str = "loss"

    def lines(self, library: str) -> tuple[tuple[str, bool], ...]:
        r"""Each line, and whether the step is about it.

        >>> Program("a = 1\nloss = a  #!", "").lines("TensorFlow")
        (('a = 1', False), ('loss = a', True))
        """
        code = self.tensorflow if library == "TensorFlow" else self.pytorch
        return tuple((line.removesuffix("#!").rstrip(), line.endswith("#!")) for line in code.strip().splitlines())

    def code(self, library: str) -> str:
        """The code as it runs."""
        return "\n".join(line for line, _ in self.lines(library))


@dataclass(frozen=True)
class Door:
    """The live page that a step ends at, with its batch: one of `PAGES`, what to do there, a number to paste.

    On the page Train it is an act, by its number.
    """

    page: str
    words: str
    printed: str = ""
    act: int = 0


@dataclass(frozen=True)
class Step:
    """One step: a screen, its questions, what to say after them.

    Attributes:
        id: chapter and place, "2.3"; never given to another step.
        title: a few words.
        body: what to know before the questions, at most 60 words.
        screen: what is shown.
        asks: the questions, answered together.
        why: what the right answer means, after the commitment.
        program: the code.
        door: the live page that it leads to.
        words: the words of the glossary that it introduces.
    """

    id: str
    title: str
    body: str
    screen: Screen
    asks: tuple[Ask, ...]
    why: str
    program: Program
    door: Door
    words: tuple[str, ...] = ()

    @property
    def chapter(self) -> int:
        """The number of its chapter."""
        return int(self.id.partition(".")[0])

    @property
    def place(self) -> int:
        """Its place in the chapter, from 1."""
        return int(self.id.partition(".")[2])


@dataclass(frozen=True)
class Chapter:
    """A chapter: its number, title, steps in order, and which earlier steps to recall at its end."""

    number: int
    title: str
    steps: tuple[Step, ...]
    recall: tuple[str, ...] = ()
