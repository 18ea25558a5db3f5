"""Written-out dates and what ISO 8601 writes for them, made by rule: days, months and years from 1900 to 2099.

A day is ten characters (1998-05-03), a month seven (1998-05), a year four (1998), so that the decoder's sequences are
of unequal length. Each day, month and year belongs to one split, in every form that it can be written in.
"""

import datetime
import random
from collections.abc import Sequence
from functools import cache

import numpy as np

__all__ = [
    "DAY_FORMS",
    "MONTH_FORMS",
    "SHOWN",
    "SPLITS",
    "YEAR_FORMS",
    "Period",
    "day_th",
    "forms",
    "iso",
    "ordinal",
    "pairs",
    "periods",
    "written",
    "year_in_words",
]

Period = tuple[int, ...]  # (year, month, day), (year, month) or (year,)

FIRST, LAST = 1900, 2099
SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}
SHARES = (0.7, 0.2, 0.1)  # of days, months and years among the pairs
SEED = 8601

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
MONTHS += ["September", "October", "November", "December"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ONES = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
ONES += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
ORDINALS += ["eleventh", "twelfth", *(f"{ones}th" for ones in ONES[13:]), "twentieth"]

# {short_year} stands for 1950 to 2049 only.
DAY_FORMS = (
    "{day} {month} {year}",
    "{day} {short_month} {year}",
    "{day} {short_month} {short_year}",
    "{day_th} {month} {year}",
    "the {day_th} of {month} {year}",
    "the {ordinal} of {month} {year}",
    "the {ordinal} of {month}, {year_in_words}",
    "the {ordinal} day of {month} in the year {year}",
    "{month} {day}, {year}",
    "{month} {day_th}, {year}",
    "{month} the {ordinal}, {year_in_words}",
    "{short_month} {day_th}, {short_year}",
    "{weekday}, {day} {month} {year}",
    "{weekday} the {ordinal} of {month} {year}",
    "{short_weekday} {day} {short_month} {short_year}",
    "on {weekday}, {month} {day_th}, {year}",
)
MONTH_FORMS = (
    "{month} {year}",
    "{short_month} {year}",
    "{short_month} {short_year}",
    "{month} of {year}",
    "in {month}, {year_in_words}",
    "the month of {month} in the year {year}",
)
YEAR_FORMS = ("{year}", "in {year}", "the year {year}", "{year_in_words}", "the year {year_in_words}")

# The batch that the samples show: eight periods of the test split. 49 is 2049, 50 is 1950.
SHOWN = (
    ("the third of May 2004", "2004-05-03"),
    ("Wednesday, 24 December 1986", "1986-12-24"),
    ("July the twelfth, nineteen seventy-five", "1975-07-12"),
    ("31 Mar 49", "2049-03-31"),
    ("Oct 3rd, 50", "1950-10-03"),
    ("in June, two thousand and five", "2005-06"),
    ("Feb 1974", "1974-02"),
    ("the year nineteen fifty", "1950"),
)


def iso(period: Period) -> str:
    """What ISO 8601 writes, as precise as the period is.

    >>> iso((1998, 5, 3)), iso((1998, 5)), iso((1998,))
    ('1998-05-03', '1998-05', '1998')
    """
    return "-".join(f"{part:02d}" for part in period)


def year_in_words(year: int) -> str:
    """A year from 1900 to 2099 as it is spoken.

    >>> [year_in_words(year) for year in (1900, 1905, 1998, 2000, 2007, 2026)]
    ['nineteen hundred', 'nineteen oh five', 'nineteen ninety-eight', 'two thousand', 'two thousand and seven', \
'twenty twenty-six']
    """
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        return "two thousand" + f" and {ONES[rest]}" * (rest > 0)
    if rest < 10:
        return "nineteen " + (f"oh {ONES[rest]}" if rest else "hundred")
    return f"{_below_a_hundred(century)} {_below_a_hundred(rest)}"


def ordinal(day: int) -> str:
    """A day of the month in words.

    >>> [ordinal(day) for day in (1, 20, 23, 31)]
    ['first', 'twentieth', 'twenty-third', 'thirty-first']
    """
    if day == 30:
        return "thirtieth"
    return ORDINALS[day] if day <= 20 else f"{TENS[day // 10]}-{ORDINALS[day % 10]}"


def day_th(day: int) -> str:
    """A day of the month as a number with its ending.

    >>> [day_th(day) for day in (1, 2, 3, 11, 22, 30)]
    ['1st', '2nd', '3rd', '11th', '22nd', '30th']
    """
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def written(period: Period, form: str) -> str:
    """A period in one of its forms.

    >>> written((1998, 5, 3), "{weekday} the {ordinal} of {month} {year}")
    'Sunday the third of May 1998'
    """
    year, month, day = (*period, 1, 1)[:3]
    weekday = WEEKDAYS[datetime.date(year, month, day).weekday()]
    return form.format(
        year=year,
        short_year=f"{year % 100:02d}",
        year_in_words=year_in_words(year),
        month=MONTHS[month - 1],
        short_month=MONTHS[month - 1][:3],
        day=day,
        day_th=day_th(day),
        ordinal=ordinal(day),
        weekday=weekday,
        short_weekday=weekday[:3],
    )


def forms(period: Period) -> tuple[str, ...]:
    """Every form that a period can be written in without doubt: two digits say the century from 1950 to 2049 only.

    >>> len(forms((1998, 5))), len(forms((1949, 5)))
    (6, 5)
    """
    every = (YEAR_FORMS, MONTH_FORMS, DAY_FORMS)[len(period) - 1]
    return tuple(form for form in every if "{short_year}" not in form or 1950 <= period[0] <= 2049)


@cache
def periods(split: str) -> tuple[tuple[Period, ...], tuple[Period, ...], tuple[Period, ...]]:
    """The days, the months and the years of a split, in a fixed random order.

    Args:
        split: a name of `SPLITS`.

    >>> [[len(kind) for kind in periods(split)] for split in SPLITS]
    [[58439, 1920, 160], [7305, 240, 20], [7305, 240, 20]]
    """
    names = list(SPLITS)
    edges = np.cumsum([0.0, *SPLITS.values()])[names.index(split) :][:2]
    days, months, years = (_cut(kind, edges) for kind in _every_period())
    return days, months, years


def pairs(split: str, count: int, seed: int = SEED) -> list[tuple[str, str]]:
    """`count` written-out dates of a split with what ISO 8601 writes for them.

    Args:
        split: a name of `SPLITS`.
        count: how many.
        seed: the same seed gives the same pairs.

    >>> pairs("train", 2)
    [('20 May 1915', '1915-05-20'), ('July of 1994', '1994-07')]
    """
    chance = random.Random(f"{seed} {split}")
    drawn = [chance.choice(kind) for kind in chance.choices(periods(split), SHARES, k=count)]
    return [(written(period, chance.choice(forms(period))), iso(period)) for period in drawn]


def _every_period() -> tuple[list[Period], list[Period], list[Period]]:
    """Every day, month and year, each in the order of the calendar."""
    first = datetime.date(FIRST, 1, 1).toordinal()
    dates = [datetime.date.fromordinal(n) for n in range(first, datetime.date(LAST, 12, 31).toordinal() + 1)]
    years = range(FIRST, LAST + 1)
    return (
        [(date.year, date.month, date.day) for date in dates],
        [(year, month) for year in years for month in range(1, 13)],
        [(year,) for year in years],
    )


def _cut(kind: Sequence[Period], edges: np.ndarray) -> tuple[Period, ...]:
    order = np.random.default_rng(SEED).permutation(len(kind))
    start, end = (round(float(edge) * len(kind)) for edge in edges)
    return tuple(kind[place] for place in order[start:end])


def _below_a_hundred(number: int) -> str:
    if number < 20:
        return ONES[number]
    return TENS[number // 10] + f"-{ONES[number % 10]}" * (number % 10 > 0)
