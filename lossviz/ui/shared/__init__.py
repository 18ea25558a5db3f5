"""What several pages show: the plot, the headline, the settings, downloads, the badge of findings."""
