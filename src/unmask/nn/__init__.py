"""Layers and backbones that more than one detector uses. Import the module that holds them."""
