"""The app's rooms. May import everything below; only `state` touches Streamlit's session state."""
