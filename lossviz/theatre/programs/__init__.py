"""The loss functions that the theatre trains with, a file a model: `right`, and a copy for each bug, one line changed.

They are shown as they run. A test holds each copy against `right`: one line differs.
"""
