"""Every command of the window: one module per menu, joined in ``table``."""
