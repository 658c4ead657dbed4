"""Questions on handbooks that are at hand wherever this project is installed."""
