"""The panels of the page Train: the prediction, the two runs frame by frame, the verdict, the training in a process."""
