"""The rules, sorted by code. To add one, write its module, a line here and a folder in `sample_data/rules/`."""

from lossviz.rules._core.rule import Rule
from lossviz.rules.model.mod01_softmax_twice import RULE as MOD01
from lossviz.rules.model.mod02_logits_read_as_probabilities import RULE as MOD02
from lossviz.rules.model.mod03_log_probabilities import RULE as MOD03
from lossviz.rules.model.mod08_keras_mask_dropped import RULE as MOD08
from lossviz.rules.model.mod09_classes_as_labels import RULE as MOD09
from lossviz.rules.model.mod10_other_logits import RULE as MOD10
from lossviz.rules.numeric.num01_nonfinite_under_mask import RULE as NUM01
from lossviz.rules.numeric.num02_gradient_through_where import RULE as NUM02
from lossviz.rules.numeric.num03_impossible_target import RULE as NUM03
from lossviz.rules.numeric.num04_minus_infinity_and_soft_labels import RULE as NUM04
from lossviz.rules.numeric.num05_fully_masked_attention import RULE as NUM05
from lossviz.rules.numeric.num06_half_precision import RULE as NUM06
from lossviz.rules.numeric.num07_more_than_32_bits import RULE as NUM07
from lossviz.rules.numeric.num08_capped_losses import RULE as NUM08
from lossviz.rules.numeric.num09_nan_that_counts import RULE as NUM09
from lossviz.rules.padding.pad01_padding_counts import RULE as PAD01
from lossviz.rules.padding.pad02_divided_by_padding import RULE as PAD02
from lossviz.rules.padding.pad03_mask_in_divisor_only import RULE as PAD03
from lossviz.rules.padding.pad04_pad_id_is_a_token import RULE as PAD04
from lossviz.rules.padding.pad05_eos_not_supervised import RULE as PAD05
from lossviz.rules.padding.pad06_inverted_mask import RULE as PAD06
from lossviz.rules.padding.pad07_wrong_side import RULE as PAD07
from lossviz.rules.padding.pad08_length_off_by_one import RULE as PAD08
from lossviz.rules.padding.pad09_impossible_lengths import RULE as PAD09
from lossviz.rules.padding.pad10_empty_sequence import RULE as PAD10
from lossviz.rules.padding.pad11_nothing_supervised import RULE as PAD11
from lossviz.rules.padding.pad12_ignore_id_mismatch import RULE as PAD12
from lossviz.rules.padding.pad13_label_out_of_range import RULE as PAD13
from lossviz.rules.padding.pad14_mask_shapes import RULE as PAD14
from lossviz.rules.padding.pad15_odd_weights import RULE as PAD15
from lossviz.rules.padding.pad16_masks_disagree import RULE as PAD16
from lossviz.rules.padding.pad18_padding_waste import RULE as PAD18
from lossviz.rules.reduction.red01_mean_of_means import RULE as RED01
from lossviz.rules.reduction.red02_sum_of_means import RULE as RED02
from lossviz.rules.reduction.red03_means_of_ranks import RULE as RED03
from lossviz.rules.reduction.red04_unshifted_divisor import RULE as RED04
from lossviz.rules.reduction.red05_sequence_means import RULE as RED05
from lossviz.rules.reduction.red06_wrong_divisor import RULE as RED06
from lossviz.rules.reduction.red07_broadcast_mask import RULE as RED07
from lossviz.rules.reduction.red08_divisor_of_weights import RULE as RED08
from lossviz.rules.reduction.red10_smoothing_of_padding import RULE as RED10
from lossviz.rules.reduction.red11_smoothing_mass import RULE as RED11
from lossviz.rules.reduction.red13_wrong_unit import RULE as RED13
from lossviz.rules.reduction.red14_across_documents import RULE as RED14
from lossviz.rules.reduction.red15_weights_twice import RULE as RED15
from lossviz.rules.reduction.red16_divisor_without_ends import RULE as RED16
from lossviz.rules.reduction.red17_last_micro_batch import RULE as RED17
from lossviz.rules.shift.shf01_targets_not_shifted import RULE as SHF01
from lossviz.rules.shift.shf02_shifted_twice import RULE as SHF02
from lossviz.rules.shift.shf03_rolled_inputs import RULE as SHF03
from lossviz.rules.shift.shf04_timestep_never_predicted import RULE as SHF04
from lossviz.rules.shift.shf05_mask_of_the_inputs import RULE as SHF05
from lossviz.rules.shift.shf06_logits_fit_another_timestep import RULE as SHF06
from lossviz.rules.shift.shf07_eos_missing import RULE as SHF07
from lossviz.rules.shift.shf08_time_major import RULE as SHF08
from lossviz.rules.shift.shf10_rows_permuted import RULE as SHF10

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    MOD01,
    MOD02,
    MOD03,
    MOD08,
    MOD09,
    MOD10,
    NUM01,
    NUM02,
    NUM03,
    NUM04,
    NUM05,
    NUM06,
    NUM07,
    NUM08,
    NUM09,
    PAD01,
    PAD02,
    PAD03,
    PAD04,
    PAD05,
    PAD06,
    PAD07,
    PAD08,
    PAD09,
    PAD10,
    PAD11,
    PAD12,
    PAD13,
    PAD14,
    PAD15,
    PAD16,
    PAD18,
    RED01,
    RED02,
    RED03,
    RED04,
    RED05,
    RED06,
    RED07,
    RED08,
    RED10,
    RED11,
    RED13,
    RED14,
    RED15,
    RED16,
    RED17,
    SHF01,
    SHF02,
    SHF03,
    SHF04,
    SHF05,
    SHF06,
    SHF07,
    SHF08,
    SHF10,
)
