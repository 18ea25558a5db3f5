"""Rules about models: what their last layer gives, and whether their mask reaches the loss."""
