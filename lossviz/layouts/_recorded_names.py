"""What losses and log-probabilities are called elsewhere, the likeliest name first."""

__all__ = ["LOG_PROBS", "LOSSES", "RECORDED_NAMES"]

LOSSES = ("token_loss", "token_losses", "per_token_loss", "per_token_losses", "batch_loss", "nll", "token_nll", "loss")
LOG_PROBS = (
    "log_prob", "logprobs", "logprob", "token_logprobs", "token_log_probs", "target_log_probs", "per_token_logps",
    "logps",
)  # fmt: skip
RECORDED_NAMES = frozenset(("losses", "log_probs", "entropy", "rank", "top_probabilities", *LOSSES, *LOG_PROBS))
"""The names of what may not have been recorded at every timestep."""
