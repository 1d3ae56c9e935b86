"""ChemNet, whose states the Frechet distance of molecules compares (Mayr et al., 2018; arXiv 1803.09518).

Its weights are those of the package fcd_torch, converted to safetensors (harness/metrics/molecules/build/reference.py).
A molecule is its canonical SMILES by symbols, in 350 places: symbols, a full stop, nothing. Two convolutions and two
LSTMs, the first of which reads from behind, make 512 numbers of it. Held to the package's own by a test.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

SYMBOLS = ("C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si", "#", "(", ")", "+", "-", "1", "2", "3", "4",
           "5", "6", "7", "8", "=", "[", "]", "@", "c", "n", "o", "s", "X", ".")
LAYERS = ("conv1", "conv2", "lstm1", "lstm2")
PLACES, STATES, BATCH = 350, 512, 256
_CODES, _UNKNOWN, _STOP = {symbol: k for k, symbol in enumerate(SYMBOLS)}, SYMBOLS.index("X"), SYMBOLS.index(".")
_NOTHING = len(SYMBOLS)


def encode(smiles: str) -> np.ndarray:
    """One molecule -> (350,) numbers of symbols, 35 where there is nothing."""
    found, at, text = np.full(PLACES, _NOTHING, np.int64), 0, smiles + "."
    for place in range(PLACES - 1):
        size = 2 if text[at + 1] in "ril" else 1
        found[place] = _CODES.get(text[at : at + size], _UNKNOWN)
        at += size
        if text[at] == ".":
            break
    found[place + 1] = _STOP
    return found


class ChemNet(nn.Module):
    """The network of the Frechet ChemNet distance: symbols of SMILES (B, 350) -> states (B, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(len(SYMBOLS), 32, 4, 2, bias=False)
        self.conv2 = nn.Conv1d(32, 32, 4, 2, bias=False)
        self.lstm1 = nn.LSTM(32, 128, batch_first=True)
        self.lstm2 = nn.LSTM(128, STATES, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, 350) numbers of symbols -> (B, 512)."""
        shown = F.one_hot(x, _NOTHING + 1)[..., :_NOTHING].float() / len(SYMBOLS)  # (B, 350, 35)
        h = F.selu(self.conv1(F.pad(shown.transpose(1, 2), (1, 1))))               # (B, 32, 175)
        h = F.selu(self.conv2(F.pad(h, (1, 2)))).transpose(1, 2)                   # (B, 88, 32)
        h = self.lstm1(h.flip(1))[0]                                               # (B, 88, 128), from behind
        return self.lstm2(h.flip(1))[1][0][0]    # the last alone: a view of all would keep 88 times the memory


def of_weights(weights: Mapping[str, Tensor]) -> ChemNet:
    """The network with weights by their names, `conv1.weight` and so on. Raises ValueError if they do not fit."""
    net = ChemNet()
    try:
        net.load_state_dict({name: weights[name] for name in net.state_dict()})
    except (KeyError, RuntimeError):
        raise ValueError("these are not the weights of ChemNet") from None
    return net.eval().requires_grad_(False)


@torch.inference_mode()
def states(net: ChemNet, smiles: Sequence[str], say: Callable[[int], None] = lambda done: None) -> np.ndarray:
    """Canonical SMILES (n,) -> (n, 512) float64. A molecule that comes again is computed once."""
    distinct = sorted({*smiles})
    place = {one: k for k, one in enumerate(distinct)}
    made = []
    for first in range(0, len(distinct), BATCH):
        x = torch.from_numpy(np.stack([_encoded(one) for one in distinct[first : first + BATCH]]))
        made.append(net(x))
        say(min(first + BATCH, len(distinct)))
    found: np.ndarray = torch.cat(made).double().numpy()                           # (distinct, 512)
    return found[[place[one] for one in smiles]]


@lru_cache(maxsize=1 << 16)
def _encoded(smiles: str) -> np.ndarray:
    return encode(smiles)
