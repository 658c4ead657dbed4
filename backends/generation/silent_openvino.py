"""OpenVINO without its telemetry: importing it makes an id for this machine and sends events, unless it cannot.

All that the engine needs of it is imported from here, and nowhere else.
"""
# ruff: noqa: E402 - only what is imported after this line finds no telemetry

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # an import of it fails, as if not installed

import openvino
from openvino import opset13 as ops
from openvino._offline_transformations import (
    apply_make_stateful_transformation,
    compress_model_transformation,
    paged_attention_transformation,
)
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

__all__ = [
    "TorchScriptPythonDecoder",
    "apply_make_stateful_transformation",
    "compress_model_transformation",
    "openvino",
    "ops",
    "paged_attention_transformation",
]
