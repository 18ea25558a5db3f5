"""The sixteen combinations of the flags of `sequence_loss`: seven have a meaning, nine a message."""

AT, AB, ST, SB = "average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch"
RULES = {
    "at+ab": (True, True, False, False),
    "st+sb": (False, False, True, True),
    "at": (True, False, False, False),
    "ab": (False, True, False, False),
    "st": (False, False, True, False),
    "sb": (False, False, False, True),
    "none": (False, False, False, False),
}


def both(first, second):
    return (
        f"`{first}` and `{second}` cannot both be True: the same axis would be averaged and summed. "
        "Set one of them to False."
    )


def order(first, second):
    return (
        f"`{first}` and `{second}` cannot both be True because of ambiguous order: averaging first and then summing "
        "gives another number than summing first and then averaging. Set one of them to False, or use both averages "
        "or both sums."
    )


ILLEGAL = {
    (True, False, True, False): both(AT, ST),
    (True, False, True, True): both(AT, ST),
    (True, True, True, False): both(AT, ST),
    (True, True, True, True): both(AT, ST),
    (False, True, False, True): both(AB, SB),
    (False, True, True, True): both(AB, SB),
    (True, True, False, True): both(AB, SB),
    (True, False, False, True): order(AT, SB),
    (False, True, True, False): order(AB, ST),
}
