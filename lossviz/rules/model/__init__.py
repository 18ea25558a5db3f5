"""Rules about models: what their last layer returns, and whether their mask reaches the loss."""
