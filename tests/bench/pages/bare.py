"""The least that a Streamlit page can do: one slider and its value."""

import streamlit as st

with st.container(key="answer"):
    st.text(str(st.slider("Value", 0, 1000, 0)))
