"""What the figures are drawn with: geometry, cells, traces, legends, and every colour and mark (`style`)."""
