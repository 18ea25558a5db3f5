"""The samples that were recorded from a model, by name."""

from lossviz.samples._sample import RECORDED, Sample

__all__ = ["RECORDED_SAMPLES"]

RECORDED_SAMPLES: tuple[Sample, ...] = (
    Sample(
        "alice-kept-out",
        "Language model, four sentences kept out of training",
        "The model never saw the last four: words that occur only there, such as “birds” and “flock”, cost the most.",
        RECORDED,
    ),
    Sample(
        "alice-trained",
        "Language model, trained",
        "The largest batch losses are those of padding, which was never trained on, and the mask removes them all.",
        RECORDED,
    ),
    Sample(
        "alice-trained-64",
        "Language model, trained, 64 sequences of up to 32 timesteps, float16 logits",
        "Most timesteps are padding, and the first words of a sequence cost the most, since little is known yet.",
        RECORDED,
    ),
    Sample(
        "alice-untrained",
        "Language model, before training",
        "Every timestep costs ln 640 = 6.46 nats, the loss of a uniform guess, whether it is a word or padding.",
        RECORDED,
    ),
    Sample(
        "dates-half-trained",
        "Encoder-decoder for dates, stopped early",
        "After 200 of 900 steps a hyphen or stop costs 0.02 nats, a digit 0.75: the form is learned before the date.",
        RECORDED,
    ),
    Sample(
        "dates-trained",
        "Encoder-decoder for dates, trained",
        "None of these was trained on, and no timestep that counts costs 0.07 nats: the large losses are padding.",
        RECORDED,
    ),
    Sample(
        "dates-untrained",
        "Encoder-decoder for dates, before training",
        "Each timestep reads the previous target, and costs ln 115 = 4.74 nats, the loss of a uniform guess.",
        RECORDED,
    ),
    Sample(
        "language-model-half-trained",
        "Language model by characters, stopped early",
        "After 110 of 900 steps it knows which characters are frequent: the space and “e” cost the least.",
        RECORDED,
    ),
    Sample(
        "language-model-trained",
        "Language model by characters, trained",
        "None of these was trained on: the first letter of a word costs 2.9 nats on average, a later one 1.9.",
        RECORDED,
    ),
    Sample(
        "language-model-untrained",
        "Language model by characters, before training",
        "Every timestep costs ln 99 = 4.60 nats, the loss of a uniform guess, whether it is a character or padding.",
        RECORDED,
    ),
    Sample(
        "reviews-half-trained",
        "Text classifier, stopped early",
        "After 300 of 1,000 steps five of eight unseen reviews are classified right, and the other three cost little.",
        RECORDED,
    ),
    Sample(
        "reviews-trained",
        "Text classifier, trained",
        "Two reviews make up nearly all of the loss: right midway, wrong at the end, where one half has seen one word.",
        RECORDED,
    ),
    Sample(
        "reviews-untrained",
        "Text classifier, before training",
        "Every timestep costs ln 2 = 0.69 nats, the loss of a coin toss, and eight of them are read and summed.",
        RECORDED,
    ),
)
