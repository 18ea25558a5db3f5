"""The panels of the page Doctor: findings, their pictures and fixes, the catalogue of rules."""
