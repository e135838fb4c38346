"""Compile every kernel with `torch.compile` and compare gradients: `python compile_with_torch.py cpu`, or `triton`."""

from __future__ import annotations

import os
import sys

import torch

from mem_core.kernels import availability

if __name__ == "__main__":
    from test_torch_transforms import CASES, outputs_of  # lies beside this script

    if sys.argv[1] == "triton":
        availability.DEVICES = ("cuda", "cpu")
        os.environ.setdefault("TRITON_INTERPRET", str(int(not torch.cuda.is_available())))
    device = "cuda" if sys.argv[1] == "triton" and torch.cuda.is_available() else "cpu"
    for name, (function, shapes) in CASES.items():
        arrays = [torch.randn(shape, device=device, requires_grad=True) for shape in shapes]
        # For every shape anew, which is sooner done than for all shapes at once.
        options = {"backend": "aot_eager", "fullgraph": True, "dynamic": False}
        compiled = torch.compile(lambda *given, f=function: outputs_of(f, *given), **options)
        expected = torch.autograd.grad(outputs_of(function, *arrays), arrays)
        for found, wanted in zip(torch.autograd.grad(compiled(*arrays), arrays), expected, strict=True):
            torch.testing.assert_close(found, wanted)
        sys.stdout.write(f"{name}\n")
