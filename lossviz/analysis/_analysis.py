"""Every number of a batch, computed once: `analyze(batch, settings) -> Analysis`."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossviz.analysis._derived import Derived
from lossviz.analysis._recorded_cell import recorded_cell
from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.errors import InputError, instance_of, whole_number
from lossviz.explanation import Explanation, explain_timestep
from lossviz.masking import Masking, gather_last, resolve_mask
from lossviz.measuring import measure, usual_settings
from lossviz.notebook import paragraph, sequences
from lossviz.problems import Problem, bad_labels, find_problems, odd_weights
from lossviz.reductions import Reduced, Reduction, check_options, reduction_named
from lossviz.settings import Settings
from lossviz.timesteps import Timesteps

__all__ = ["Analysis", "analyze"]

Array = np.ndarray
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(Derived):
    """Every number of a batch under one mask and one reduction; arrays are [B, T] unless said.

    Attributes:
        batch: what it was computed from; `settings`: the mask and the reduction.
        batch_loss: cross entropy of every timestep, in nats, before any mask.
        weights: what each loss is multiplied by; `mask`: where that is not 0.
        unpadded_loss: weight × batch_loss, exactly 0 where the weight is 0.
        share: each timestep's part of the number, summing to 1 (of its own number where there are several).
        probability: of the target; `perplexity`: exp(batch_loss); `entropy`: of the distribution, in nats.
        rank: 1 where the target is the model's first choice; 0 where the target is no class.
        prediction: the class with the largest logit.
        gradient_norm: ‖∂number/∂logits[b, t]‖₂ = |w / divisor| · ‖softmax − onehot‖₂.
        non_finite: how many logits are NaN or ±inf.
        invalid: where the label or the length makes no sense, and odd weights; shown with a mark of their own.
        disagreement: where `weights` and `lengths` of the batch differ.
        top_classes: [B, T, 5], largest probability first, −1 beyond V; `top_probabilities`: likewise.
        numerator: of the number; `divisor`: what it is divided by; `divisor_counts`: what the divisor counts, in words.
        value: numerator ÷ divisor: a float, or [B], [T] or [B, T] where the flags keep an axis.
        problems: what is wrong with the content, in words, with its cells.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 2)), targets=[[0, 1, 0]], lengths=[2])
    >>> analysis = analyze(batch)
    >>> analysis
    Analysis(0.6931 nats = 1.3863 ÷ 2 timesteps that count)
    """

    batch: Batch
    settings: Settings
    batch_loss: Array
    weights: Array
    unpadded_loss: Array
    share: Array
    probability: Array
    perplexity: Array
    entropy: Array
    rank: Array
    prediction: Array
    gradient_norm: Array
    non_finite: Array
    invalid: Array
    disagreement: Array
    top_classes: Array
    top_probabilities: Array
    numerator: Any
    divisor: Any
    divisor_counts: str
    value: Any
    mask_name: str
    problems: tuple[Problem, ...]
    _timesteps: Timesteps = field(repr=False)
    _reduced: Reduced = field(repr=False)

    @property
    def reduction(self) -> Reduction:
        """The reduction in use, with its title and formula."""
        return reduction_named(self.settings.reduction)

    @property
    def reduced_axes(self) -> tuple[int, ...]:
        """The axes of [B, T] that the reduction sums over: (0, 1) for one number, (1,) for one per sequence."""
        return self._reduced.axes

    @property
    def divides(self) -> bool:
        """Whether the number is divided by anything; False for a sum."""
        return self._reduced.divides

    @property
    def divisor_items(self) -> str:
        """The things that the divisor counts: "sequences" of "sequences, each by its own mean"."""
        return self._reduced.items or self.divisor_counts

    @property
    def means_of(self) -> str:
        """What the numerator is a sum of means of, "sequences", "timesteps" or "micro-batches"; else ""."""
        return self._reduced.group

    @property
    def is_scalar(self) -> bool:
        """Whether the reduction gives one number."""
        return np.ndim(self.value) == 0

    @property
    def coefficients(self) -> Array:
        """What each loss is multiplied by on its way into its number, [B, T]: value = Σ coefficient · batch_loss."""
        return self._reduced.coefficients(self.weights)

    def with_settings(self, settings: Settings, *, batch: Batch | None = None) -> "Analysis":
        """The same batch, or one with other weights, under other settings; only losses that differ are computed."""
        batch = batch or self.batch
        same = settings.is_classifier == self.settings.is_classifier and batch.shares_losses(self.batch)
        timesteps = self._timesteps if same else measure(batch, settings)
        return _assemble(batch, settings, resolve_mask(batch, settings.mask), timesteps)

    def explain(self, sequence: int, timestep: int, *, classes: Iterable[int] = ()) -> Explanation:
        """The arithmetic of one timestep, step by step, in float64; lists the top classes, the target and `classes`.

        Raises:
            InputError: if there is no such timestep.
        """
        rows, columns = self.batch_loss.shape
        sequence, timestep = whole_number("sequence", sequence), whole_number("timestep", timestep)
        more = instance_of("classes", classes, Iterable, "a list of class ids")
        classes = [whole_number("classes", one) for one in more]
        if not (0 <= sequence < rows and 0 <= timestep < columns):
            raise InputError(
                f"The timestep must lie in {rows} sequences × {columns} timesteps; got ({sequence}, {timestep})."
            )
        here = np.index_exp[sequence, timestep]
        if not self.has_logits:
            return recorded_cell(self, sequence, timestep, self._reduced)
        top = [int(v) for v in self.top_classes[here] if v >= 0]
        target = int(self.batch.targets[here])
        return explain_timestep(
            self.scores_at(sequence, timestep),
            target,
            sequence=sequence,
            timestep=timestep,
            tokens={} if self.is_classifier else {v: self.batch.token(v) for v in (*top, *classes, target)},
            top=[*top, *classes],
            weight=float(self.weights[here]),
            impossible=any(problem.kind == "length" and problem.cells[here] for problem in self.problems),
            binary=self.is_classifier,
            **self._reduced.at(sequence, timestep),
        )

    def figure(self, **options: Any) -> Any:
        """The picture batch loss × mask = unpadded loss as a Plotly figure; options as `lossviz.equation`."""
        # Figures stand above: the package's root looks the name up when it is asked for, as for every user.
        return sys.modules["lossviz"].equation(self, **options)

    def _repr_html_(self) -> str:
        problems = "".join(map(paragraph, self.problems))
        return paragraph(repr(self), bold=True) + problems + sequences(self.unpadded_loss, self.weights)

    def __repr__(self) -> str:
        if not self.is_scalar:
            return (
                f"Analysis({self.settings.reduction}: {np.shape(self.value)} numbers, divided by {self.divisor_counts})"
            )
        equation = f"{number_text(self.value)} nats = {number_text(self.numerator)} ÷ {self.divisor:.10g}"
        return f"Analysis({equation} {self.divisor_counts})"


def analyze(batch: Batch, settings: Settings | None = None, *, progress: Progress | None = None) -> Analysis:
    """Compute every number of a batch under a mask and a reduction (spec/losses.md §2).

    Args:
        batch: logits [B, T, V] and what goes with them.
        settings: which mask and which reduction; by default the declared mask and Σ w·loss / Σ w, and of batches with
            one logit per timestep, which is a sigmoid's, what the classifier of spec/losses.md §1.3 minimises.
        progress: called as `progress(done, total)` between blocks, on this thread; raise in it to stop.

    Raises:
        SettingsError: if the mask or the reduction does not fit the batch.

    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> a = analyze(batch)
    >>> float(a.divisor), a.mask.tolist()
    (3.0, [[True, True], [True, False]])
    """
    instance_of("batch", batch, Batch, "a Batch, as `Batch.from_arrays` and `lossviz.load` give")
    if settings is None:
        settings = usual_settings(batch)
    instance_of("settings", settings, Settings, 'Settings, such as `Settings(reduction="language_model")`')
    masking = resolve_mask(batch, settings.mask)  # what can't be is refused before the long work
    check_options(reduction_named(settings.reduction), settings.options)
    return _assemble(batch, settings, masking, measure(batch, settings, progress))


def _assemble(batch: Batch, settings: Settings, masking: Masking, timesteps: Timesteps) -> Analysis:
    reduction, binary = reduction_named(settings.reduction), settings.is_classifier
    check_options(reduction, settings.options)
    weights = gather_last(masking.weights) if binary else masking.weights
    classes = 2 if binary else batch.classes
    counts = weights != 0
    undefined = bad_labels(batch, weights, classes) | masking.impossible
    with np.errstate(all="ignore"):
        # Select before multiplying: 0 × NaN is NaN, and a masked timestep must add exactly 0.
        loss = np.where(counts, np.where(undefined, np.nan, timesteps.loss), 0.0)
        reduced = reduction.reduce(loss, weights, settings.options)
        unpadded = np.where(counts, weights * loss, 0.0)
        # d/dz of the pair (0, z) counts p − y twice: ‖·‖ = √2 |p − y|.
        norm = timesteps.gradient_norm / (np.sqrt(2.0) if binary else 1.0)
        gradient = np.where(counts, np.abs(reduced.coefficients(weights)) * np.where(undefined, np.nan, norm), 0.0)
        whole = np.where((reduced.share_total == 0) | (reduced.effective_divisor == 0), np.inf, reduced.share_total)
        share = np.where(counts, unpadded / whole, 0.0)
        perplexity = np.exp(timesteps.loss)
    return Analysis(
        batch=batch,
        settings=settings,
        batch_loss=timesteps.loss,
        weights=weights,
        unpadded_loss=unpadded,
        share=share,
        probability=timesteps.probability,
        perplexity=perplexity,
        entropy=timesteps.entropy,
        rank=timesteps.rank,
        prediction=timesteps.top_classes[..., 0],
        gradient_norm=gradient,
        non_finite=timesteps.non_finite,
        invalid=undefined | odd_weights(weights),
        disagreement=masking.disagreement,
        top_classes=timesteps.top_classes,
        top_probabilities=timesteps.top_probabilities,
        numerator=reduced.squeeze(reduced.numerator),
        divisor=reduced.squeeze(reduced.divisor),
        divisor_counts=reduced.counts,
        value=reduced.squeeze(reduced.value),
        mask_name=masking.name,
        problems=find_problems(batch, masking, weights, timesteps, classes),
        _timesteps=timesteps,
        _reduced=reduced,
    )
