"""What all rules share: the case under examination, findings, phases, and facts that several families need."""
