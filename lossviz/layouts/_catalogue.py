"""Every layout, in the order in which they are tried: responses of servers, rows, names, axes, contents, alignment."""

from lossviz.layouts import (
    encoder_decoder,
    hugging_face,
    ignored_labels,
    packed,
    padded_inputs,
    plain,
    renamed,
    unnamed_padding,
)
from lossviz.layouts._draft import Layout
from lossviz.layouts.contents import (
    every_timestep,
    multi_label,
    one_hot,
    padded_vocabulary,
    probabilities,
    whole_numbers,
)
from lossviz.layouts.recorded import (
    chat_logprobs,
    completions,
    downloaded,
    gemini,
    llama_cpp,
    prompt_logprobs,
    recorded_losses,
    sglang,
    tgi,
)
from lossviz.layouts.shapes import classes_first, flat, longer_logits, ragged, time_major, trailing_axis

__all__ = ["LAYOUTS"]

LAYOUTS: tuple[Layout, ...] = (
    plain.LAYOUT,
    prompt_logprobs.LAYOUT,
    completions.LAYOUT,
    chat_logprobs.LAYOUT,
    llama_cpp.LAYOUT,
    sglang.LAYOUT,
    tgi.LAYOUT,
    gemini.LAYOUT,
    downloaded.LAYOUT,
    ragged.LAYOUT,
    renamed.LAYOUT,
    trailing_axis.LAYOUT,
    whole_numbers.LAYOUT,
    flat.LAYOUT,
    time_major.LAYOUT,
    classes_first.LAYOUT,
    one_hot.LAYOUT,
    multi_label.LAYOUT,
    longer_logits.LAYOUT,
    recorded_losses.LAYOUT,
    probabilities.LAYOUT,
    every_timestep.LAYOUT,
    padded_inputs.LAYOUT,
    hugging_face.LAYOUT,
    encoder_decoder.LAYOUT,
    ignored_labels.LAYOUT,
    unnamed_padding.LAYOUT,
    packed.LAYOUT,
    padded_vocabulary.LAYOUT,
)
