"""Small links from a page to the steps of the lessons that explain what is on it."""

import streamlit as st

__all__ = ["TOPICS", "learn_links"]

PAGE = "learn"
TOPICS = {
    "mask": "2.1",
    "padding": "2.2",
    "divisor": "2.3",
    "per-sequence loss": "3.5",
    "flags of sequence_loss": "4.1",
    "NaN under a mask": "5.1",
    "stop tokens": "5.3",
    "micro-batches": "5.5",
    "perplexity": "5.6",
    "shifted targets": "5.8",
    "losses without a mask": "2.8",
    "extra padding": "5.4",
    "the pad id": "2.7",
    "the mask upside down": "5.7",
    "the timestep that is read": "3.8",
}
"""What can be explained, and the step that does."""


def learn_links(*topics: str, reduction: str = "") -> None:
    """Draw a line of links, one a topic of `TOPICS`, and one about the reduction where that has flags."""
    if reduction == "sequence_loss":
        topics = (*topics, "flags of sequence_loss")
    with st.container(key="learn_links", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Learn about", width="content")
        for topic in topics:
            chapter, _, place = TOPICS[topic].partition(".")
            # Streamlit knows a page by its address: this one only says which.
            st.page_link(
                st.Page(_nothing, url_path=PAGE, title="Learn"),
                label=topic,
                icon=":material/school:",
                width="content",
                query_params={"chapter": chapter, "step": place},
            )


def _nothing() -> None:
    """Stand for the page, which the navigation draws."""
