"""What an address may say: the choices that are linked, each declared where its control is drawn."""

from lossviz.ui.around import projector
from lossviz.ui.compare import choice_panel
from lossviz.ui.doctor import findings_panel, rules_panel
from lossviz.ui.explore import mask_panel, stages_panel
from lossviz.ui.explore import sequences_panel as explore_sequences_panel
from lossviz.ui.identify import match_cards, reported_panel
from lossviz.ui.reductions import conventions_panel, split_panel
from lossviz.ui.runs import filters, groups_panel, run_choice
from lossviz.ui.runs import sequences_panel as runs_sequences_panel
from lossviz.ui.session.link_checks import Check
from lossviz.ui.shared import downloads_panel, equation, loop_options, script_panel, settings_panel, window
from lossviz.ui.sources import batch_picker, sample_choice, sentences, step_picker, typed

__all__ = ["CHOICES"]

CHOICES: dict[str, Check] = {
    **batch_picker.LINKED,
    **sample_choice.LINKED,
    **projector.LINKED,
    **stages_panel.LINKED,
    **step_picker.LINKED,
    **typed.LINKED,
    **sentences.LINKED,
    **settings_panel.LINKED,
    **loop_options.LINKED,
    **window.LINKED,
    **equation.LINKED,
    **downloads_panel.LINKED,
    **script_panel.LINKED,
    **explore_sequences_panel.LINKED,
    **mask_panel.LINKED,
    **findings_panel.LINKED,
    **rules_panel.LINKED,
    **conventions_panel.LINKED,
    **split_panel.LINKED,
    **reported_panel.LINKED,
    **match_cards.LINKED,
    **run_choice.LINKED,
    **runs_sequences_panel.LINKED,
    **filters.LINKED,
    **groups_panel.LINKED,
    **choice_panel.LINKED,
}
