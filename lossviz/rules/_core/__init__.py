"""What every rule stands on: the case under examination, findings, phases, and facts that several families ask for."""
