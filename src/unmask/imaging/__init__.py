"""Arithmetic on pictures that several rooms share: boxes, alignment, color, codecs.

Import from the modules: most callers need one of them alone.
"""
