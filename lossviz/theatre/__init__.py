"""The theatre: a model trained twice, rightly and with one changed line, seen frame by frame; no Streamlit here.

Recordings come with lossviz and open without TensorFlow; the same settings, trained again, give the same frames.

>>> act = act_numbered(1)
>>> recording = read(act.settings[0])
>>> recording.verdict().lies, recording.wrong.frame(-1).texts[0].stopped
(True, False)
"""

from lossviz.theatre._acts import ACTS, Act, Option, act_numbered
from lossviz.theatre._code import Code, code
from lossviz.theatre._files import folder, read, read_run, to_bytes, write
from lossviz.theatre._jobs import KEPT, PATIENCE, PRESENT, WAITING, Job, Jobs
from lossviz.theatre._recording import SIDES, Frame, Group, Recording, Run, Scene, Written
from lossviz.theatre._runs import export_runs
from lossviz.theatre._settings import BUGS, MODELS, OPTIMIZERS, RIGHT, SEEDS, STEPS, Settings, frame_steps
from lossviz.theatre._verdict import HARM_FROM, LIE_FROM, Verdict
from lossviz.theatre.events import Growing

__all__ = [
    "ACTS",
    "BUGS",
    "HARM_FROM",
    "KEPT",
    "LIE_FROM",
    "MODELS",
    "OPTIMIZERS",
    "PATIENCE",
    "PRESENT",
    "RIGHT",
    "SEEDS",
    "SIDES",
    "STEPS",
    "WAITING",
    "Act",
    "Code",
    "Frame",
    "Group",
    "Growing",
    "Job",
    "Jobs",
    "Option",
    "Recording",
    "Run",
    "Scene",
    "Settings",
    "Verdict",
    "Written",
    "act_numbered",
    "code",
    "export_runs",
    "folder",
    "frame_steps",
    "jobs",
    "read",
    "read_run",
    "to_bytes",
    "write",
]

jobs = Jobs()
"""The rehearsals of this process, for all visitors of its app."""
