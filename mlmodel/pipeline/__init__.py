"""How a price is computed: the same code over heads just trained and over heads read from ONNX. No Django in here.

Reading order: `heads`, `families`, `ranges`, then `fitting` and `export`, which need the training requirements.
"""
