"""Models that learn on a release, and what the release costs them."""
