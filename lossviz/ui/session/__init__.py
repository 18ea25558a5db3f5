"""What is on the screen: the batches that were opened, their edits and repairs, the editors that are drawn.

`state` alone touches Streamlit's session state.
"""
