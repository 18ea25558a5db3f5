"""The samples that were written by hand: worked examples, and batches that are wrong on purpose, by name."""

from lossviz.samples._sample import ODD, WORKED, Sample

__all__ = ["WRITTEN_SAMPLES"]

WRITTEN_SAMPLES: tuple[Sample, ...] = (
    Sample(
        "four-classes",
        "Four classes, one timestep each",
        "Every timestep has the probabilities 1/2, 1/4, 1/8 and 1/8, so the targets cost 1, 2, 3 and 3 times ln 2.",
        WORKED,
    ),
    Sample(
        "golden",
        "Golden batch: many conventions, all different",
        "The losses add up to 13.8 over the 11 timesteps that count and to 14.5 over all 15: every divisor shows.",
        WORKED,
    ),
    Sample(
        "golden-weights",
        "Golden batch, fractional weights",
        "The weights add up to 10.5 while 11 of them are not 0: two divisors, two losses.",
        WORKED,
    ),
    Sample(
        "label-2-to-the-32",
        "Target 2³²",
        "The target of sequence 0, timestep 1 wraps round to 0 in 32 bits, and is no class in 64.",
        ODD,
    ),
    Sample(
        "label-minus-1",
        "Target −1",
        "The target of sequence 0, timestep 1 is −1, an ignore id that nobody declared.",
        ODD,
    ),
    Sample(
        "label-minus-100",
        "Target −100",
        "The target of sequence 0, timestep 1 is PyTorch's ignore id, and counts, for nobody declared it.",
        ODD,
    ),
    Sample(
        "label-v",
        "Target V",
        "The target of sequence 0, timestep 1 is 5 where the classes are 0 to 4: the vocabulary lacks a row.",
        ODD,
    ),
    Sample(
        "length-0",
        "Length 0",
        "Sequence 1 has no timestep that counts, so its own mean would be 0 / 0.",
        ODD,
    ),
    Sample(
        "length-above-t",
        "Length T + 5",
        "Sequence 0 has length 9 of 4 timesteps; TensorFlow's sequence_mask would truncate it silently.",
        ODD,
    ),
    Sample(
        "length-fractional",
        "Length 2.7",
        "Sequence 1 is 2.7 timesteps long, as when a relative length was multiplied by T and not rounded.",
        ODD,
    ),
    Sample(
        "length-minus-1",
        "Length −1",
        "Sequence 1 has length −1, as when 1 was taken from an empty sequence.",
        ODD,
    ),
    Sample(
        "lengths-3-4-2",
        "Lengths 3, 4 and 2",
        "The mask is the staircase of sequence_mask([3, 4, 2]), and the three sequences cost 3, 6 and 3 nats: 12 / 9.",
        WORKED,
    ),
    Sample(
        "logits-all-nan",
        "Every logit is NaN",
        "Nothing can be computed, and the page says so rather than show zeros.",
        ODD,
    ),
    Sample(
        "logits-inf",
        "Infinite logits",
        "Sequence 0 has +∞ at the target of timestep 0 and −∞ at that of timestep 1; the padding has a +∞ too.",
        ODD,
    ),
    Sample(
        "logits-nan",
        "One NaN that counts, one timestep of padding that doesn't",
        "The NaN of sequence 0 makes the loss NaN, while those in the padding of sequence 1 must not reach it.",
        ODD,
    ),
    Sample(
        "padding-mask",
        "Mask from the padding id",
        "There are no lengths: the mask is the sign of the targets, [1 1 1 1 0] and [1 1 0 0 0], and the mean 7 / 6.",
        WORKED,
    ),
    Sample(
        "tokens-duplicate",
        "Two classes with one name",
        "Classes 3 and 4 are both called “cat”, so the token alone does not say which was predicted.",
        ODD,
    ),
    Sample(
        "tokens-hostile",
        "Tokens that attack the page",
        "Markup, links, right-to-left, zero-width, empty and 10,000-character tokens are shown as the text they are.",
        ODD,
    ),
    Sample(
        "weights-254-255",
        "Weights 254 and 255",
        "A uint8 mask was inverted with ~: 1 became 254 and 0 became 255, so the padding counts most.",
        ODD,
    ),
    Sample(
        "weights-all-0",
        "Every weight is 0",
        "Nothing counts, so the divisor is 0, and a loss of 0 would look like success.",
        ODD,
    ),
    Sample(
        "weights-disagree",
        "Weights and lengths disagree",
        "In sequence 1 the weights leave out timestep 1 and count the padding at timestep 3, and the weights win.",
        ODD,
    ),
    Sample(
        "weights-fractional",
        "Fractional weights",
        "Weights from 0.25 to 2 scale single timesteps, so the sum of the weights is not the number of timesteps.",
        ODD,
    ),
    Sample(
        "weights-negative",
        "A negative weight",
        "Timestep 2 of sequence 0 has weight −1: a lower loss there raises the number.",
        ODD,
    ),
)
