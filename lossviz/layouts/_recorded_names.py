"""What losses and log-probabilities are called elsewhere, the likeliest name first."""

__all__ = ["GENERATED", "LOG_PROBS", "LOSSES", "RECORDED_NAMES"]

LOSSES = ("token_loss", "token_losses", "per_token_loss", "per_token_losses", "batch_loss", "nll", "token_nll", "loss")
LOG_PROBS = (
    "log_prob", "logprobs", "logprob", "token_logprobs", "token_log_probs", "target_log_probs", "per_token_logps",
    "logps", "completion_logprobs", "response_logprobs", "old_log_probs", "old_per_token_logps", "sampling_logprobs",
)  # fmt: skip
GENERATED = ("completion_ids", "token_ids", "completion_token_ids", "output_ids", "response_ids", "responses")
"""What the ids of generated tokens are called, beside their log-probabilities."""
RECORDED_NAMES = frozenset(("losses", "log_probs", "entropy", "rank", "top_probabilities", *LOSSES, *LOG_PROBS))
"""The names of what may not have been recorded at every timestep."""
