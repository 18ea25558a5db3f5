"""The pictures of a recorded run, of the frames that `lossviz.runs` answers with."""
