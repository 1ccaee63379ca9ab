"""The control panel in JupyterLab."""
