"""Notes made up from templates, with exact spans: what the detector is trained and measured on."""
