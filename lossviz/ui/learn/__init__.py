"""The panels of the page Learn: the question, the picture, the code, the teacher's view, and the browser's memory."""
