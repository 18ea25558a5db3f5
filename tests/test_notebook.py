"""HTML for notebooks: escaped, short, and without pandas."""

import numpy as np

from lossviz.notebook import sequences, table


def test_table_leaves_out_the_middle_of_a_long_one():
    html = table([[f"{n}", "x"] for n in range(30)])
    assert html.count("<tr>") == 21
    assert "<tr><td>9</td><td>x</td></tr><tr><td>…</td><td>…</td></tr><tr><td>20</td><td>x</td></tr>" in html


def test_table_escapes_names_and_cells():
    html = table([["<i>", "&"]], head=["<b>", "c"], named=True)
    assert html == ("<table><tr><th>&lt;b&gt;</th><th>c</th></tr><tr><th>&lt;i&gt;</th><td>&amp;</td></tr></table>")


def test_sequences_of_an_empty_batch_is_the_head_alone():
    assert sequences(np.zeros((0, 3)), np.zeros((0, 3))).count("<tr>") == 1


def test_sequences_without_weight_has_mean_zero():
    assert sequences(np.zeros((1, 2)), np.zeros((1, 2))).endswith(
        "<tr><td>0</td><td>0</td><td>0.0000</td><td>0.0000</td><td>0.0000</td></tr></table>"
    )
