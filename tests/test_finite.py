"""A network whose answer is no law ends the cell, whatever the sampler would have drawn from it; -inf for tokens that
are never drawn is a law.
"""

from dataclasses import dataclass

import pytest
import torch

from harness import plugins
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.nets.finite import Finite
from harness.nets.wrap import Wrapper
from harness.records.store import Store
from harness.run import runner
from harness.study import Arm, Study, Table

DATA = Exact()
NAN, INF = float("nan"), float("inf")


class Ill(Wrapper):
    """The exact network, ill from some pass on, in the kinds of pass that `kind` names."""

    def __init__(self, net, value: float, kind: str, after: int, token: slice):
        super().__init__(net)
        self.value, self.kind, self.left, self.token = value, kind, after, token
        self.sha256, self.card = f"ill {value} {kind} {after} {token}", {}

    def spoilt(self, kind: str, logits):
        self.left -= kind in self.kind
        if kind in self.kind and self.left < 0:
            logits = logits.clone()
            logits[0, :, self.token] = self.value
        return logits

    def draft(self, x, at=None, alive=None, clock=None):
        logits, hidden = self.net.draft(x, at, alive, clock)
        return self.spoilt("draft", logits), hidden

    def verify(self, hidden, y, order, at, alive=None):
        return self.spoilt("verify", self.net.verify(hidden, y, order, at, alive))


@dataclass(frozen=True)
class Source:
    value: float
    kind: str = "draft"
    after: int = 0
    tokens: int = 1    # the first so many

    def load(self, device: str) -> Ill:
        return Ill(Table(DATA).load(device), self.value, self.kind, self.after, slice(self.tokens))


def reasons(source: Source, folder, *names: str, **arm) -> dict[str, tuple[str, str]]:
    """Status and reason of samplers, by default of all, on the network."""
    arms = [Arm(name, [cls()], {need.partition(".")[0]: "ill" for need in cls.needs}, **arm) for name,
            cls in plugins.samplers().items() if not names or name in names]
    runner.run(Study(name="ill", question="?", data=DATA, nets={"ill": source}, reference="ill", arms=arms,
                     metrics=[ExactNll()], n=4, batch=4), folder)
    return {r["arm"]: (r["status"], r["reason"]) for r in Store(folder).of("counted")}


def test_no_sampler_is_scored_on_a_network_of_nan(tmp_path):
    found = reasons(Source(NAN, "draft and verify"), tmp_path)
    assert len(found) == len(plugins.samplers())
    for name, (status, reason) in found.items():
        assert (
            status == "failed"
            and reason.startswith("ValueError: the network 'ill' in the role")
            and "gave NaN at" in reason
            and "correct the network" in reason
        ), name
    assert not Store(tmp_path).of("scored")


@pytest.mark.parametrize(("source", "says"), [
    (Source(INF), "gave +inf at 1 of 4 places of its draft pass number 1,"),
    (Source(-INF, tokens=9), "gave -inf for every token at "),
    (Source(NAN, after=1), "of its draft pass number 2,"), (Source(NAN, "verify"), "of its verify pass number 1,"),
], ids=["inf", "nothing to draw", "the second pass", "a verify pass"])
def test_the_reason_names_network_pass_and_remedy(tmp_path, source, says):
    (status, reason), = reasons(source, tmp_path, "ssmd").values()
    assert status == "failed" and "'ill' in the role 'main'" in reason and says in reason and reason.count(":") == 2


def test_minus_infinity_for_a_token_that_is_never_drawn_is_lawful(tmp_path):
    assert {status for status, _ in reasons(Source(-INF), tmp_path).values()} == {"done"}


@pytest.mark.parametrize("arm", [{"temperature": 1e-320}, {"nucleus": 0.5}, {"temperature": 1e-320, "nucleus": 0.5}],
                         ids=str)
def test_what_temperature_and_nucleus_make_of_it_is_looked_at_too(tmp_path, arm):
    (status, reason), = reasons(Source(INF if "temperature" not in arm else -1.0), tmp_path, "threshold",
                                **arm).values()
    assert status == "failed" and "inf" in reason and "raise the temperature" in reason


def test_places_that_only_pad_are_free():
    class Padded(Wrapper):
        def draft(self, x, at=None, alive=None, clock=None):
            return torch.tensor([[0.0, 1.0], [NAN, NAN]]).expand(1, 2, 2), x

    net = Finite(Padded(Table(DATA).load("cpu")), "padded")
    net.draft(torch.zeros(1, 4), at=torch.tensor([[2, -1]]))
    with pytest.raises(ValueError, match="NaN at 1 of 2 places"):
        net.draft(torch.zeros(1, 4), at=torch.tensor([[-1, 2]]))
