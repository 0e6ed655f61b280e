"""The only room that may import all: the demo, the little world of ``dsmtc dev``, the embedded world."""
