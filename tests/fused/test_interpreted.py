"""Where Triton is installed: the tests of the kernels by its interpreter, and its compiler on every kernel."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from harness.spec import ROOT
from tests.fused.cases import keyed, laws, settling

BY_HAND = os.environ.get("TRITON_INTERPRET") == "1"
pytestmark = [pytest.mark.skipif(not find_spec("triton"), reason="Triton is absent: pip install triton"),
              pytest.mark.skipif(BY_HAND, reason="this process is the interpreter's")]
POINTERS = {torch.int64: "*i64", torch.float64: "*fp64", torch.float32: "*fp32", torch.bfloat16: "*bf16"}


def test_kernels_pass_their_tests_by_the_interpreter():
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           str(ROOT / "tests/fused/test_kernels.py")], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"TRITON_INTERPRET": "1"})
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("target", [80, 90])
def test_every_operator_compiles_for_cuda_as_one_kernel(target, monkeypatch):
    """Types as on a device, where a number that is 1 is a constant; no device is needed."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from harness.fused import kernels

    started = []

    def compiled(kernel, grid, *args):
        kinds, constants = {}, {}
        for k, (name, a) in enumerate(zip(kernel.arg_names, args)):
            fixed = name == "BLOCK" or isinstance(a, int) and a == 1 and not kernel.params[k].do_not_specialize
            kinds[name] = ("constexpr" if fixed else POINTERS[a.dtype] if isinstance(a, torch.Tensor) else
                           "i32" if a < 2**31 else "i64")
            constants |= {(k,): a} if fixed else {}
        text = compile(ASTSource(kernel, kinds, constants), target=GPUTarget("cuda", target, 32)).asm["ptx"]
        started.append(text.count(".entry"))

    monkeypatch.setattr(kernels, "_start", compiled)
    kernels.uniforms(*next(keyed()))
    for vocab in (1, 27, 5000):
        for dtype in POINTERS:
            if dtype.is_floating_point:
                logits, u = laws(vocab, 2, dtype)
                kernels.drawn(logits, u)
                kernels.likelihood(logits, torch.zeros(2, 1, dtype=torch.int64))
        for width in (1, 4):
            of = settling(3, width, vocab)
            kernels.settled(*of)
            kernels.filled(of.y, kernels.ranked(of.y, of.i, of.e, width)[1], of.at)
    assert set(started) == {1} and len(started) == 1 + 3 * (3 * 2 + 2 * 3)    # one start an operator
