"""The verb `attach`: a causal block trained on the frozen trunk of somebody else's masked network.

    ssmd-bench attach my_model --data fasta --path chains.fasta --length 120 --take tokens=ACDEFGHIKLMNPQRSTVWY
    ssmd-bench attach my_model --data text_file --path corpus.txt          # in the tokens of the model's tokenizer
    ssmd-bench attach mine.py --out runs/attach       # a Python file with TRUNK and DATA, for what words cannot say
"""

import sys
from argparse import Namespace
from pathlib import Path

from harness.boundary.arguments import JOBS, MAKE, Parser, Verb, number, path, whole, word

# of the block and its training, where --set gives no other: the width of the trunk, and a few minutes of two cores
TOKENS, HEADS = 2e5, 4


def _options(parser: Parser) -> None:
    parser.add_argument("model", type=word, help="folder or name of a masked language model of transformers, or a "
                                                 "Python file with TRUNK and DATA")
    parser.add_argument("--out", type=path, default=Path("runs/attach"))
    parser.add_argument("--data", type=word, help="data set that the block is trained on (default: that of the file)")
    parser.add_argument("--path", type=word, help="of its files")
    parser.add_argument("--tokenizer", type=word, help="of a corpus of tokens (default: that of the model)")
    parser.add_argument("--length", type=whole(1, 65536), help="of a row, in tokens (default 128)")
    parser.add_argument("--tokens", type=number(0, 1e15, above=True),
                        help=f"in all, of the training (default {TOKENS:g})")
    parser.add_argument("--take", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="taken",
                        help="how the model is taken, a field of Hub, e.g. mask=4 or tokens=ACDEFGHIKLMNPQRSTVWY")
    parser.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes",
                        help="a field of the training, e.g. width=256, causal=2, seed=3")
    parser.add_argument("--device", type=word, default="cpu")
    parser.add_argument("--threads", type=whole(1, JOBS), help="of this training (default: all cores)")


def attach(options: Namespace) -> tuple[dict, int]:
    import torch

    from harness.boundary.addresses import command as typed
    from harness.cli._options import changed
    from harness.nets.device import checked
    from harness.nets.guards import examined
    from harness.run.progress import tell
    from ssmd.attached import fresh
    from ssmd.train.loop import train
    from ssmd.train.settings import Training

    if options.threads:
        torch.set_num_threads(options.threads)
    source, data = _of_file(options) if options.model.endswith(".py") else _of_words(options)
    device = checked(options.device)
    trunk = source.load(device)
    if trunk.vocab != data.vocab:
        raise ValueError(f"the model writes {trunk.vocab} tokens and {data.name} has {data.vocab}: choose data that "
                         "fit")
    examined(trunk, options.model, data)
    config = changed(Training(network="hybrid", frozen=True, width=trunk_width(trunk), heads=HEADS,
                              blocks=trunk.blocks("draft") + 1, tokens=options.tokens or TOKENS), options.changes)
    net = fresh(trunk, config.width, config.heads, config.causal, config.seed)
    done = train(config, data, options.out, "block", device, say=tell, net=net,
                 command=typed(["ssmd-bench", *sys.argv[1:]]))
    print(f"in a study: nets={{\"attached\": AttachedTo({str(done)!r}, ...)}}, with the model as it was taken here")
    return {"checkpoint": str(done)}, 0


def trunk_width(trunk) -> int:
    import torch

    with torch.no_grad():
        return trunk.states(torch.full((1, 2), trunk.mask, device=trunk.device)).shape[-1]


def _of_words(options: Namespace):
    """The model, and the data in its tokens."""
    from harness.cli._options import changed
    from harness.data.recounted import Recounted
    from harness.nets.hub import Hub
    from ssmd.commands import _dataset

    source = changed(Hub(options.model), options.taken)
    if not options.data:
        raise ValueError("attach needs --data, what the block is trained on, or a Python file with TRUNK and DATA")
    options.tokenizer = options.tokenizer or _of_model(source, options.data)
    data = _dataset(options)
    if not source.tokens and hasattr(data, "tokenizer"):
        data = Recounted(data, source.left_out())
    return source, data


def _of_model(source, data: str) -> str | None:
    """Where the model's own tokenizer lies, for data that have the tokens of one."""
    from harness import plugins
    from harness.nets.causal_lm import folder_of

    reads = "tokenizer" in getattr(plugins.datasets().get(data), "__dataclass_fields__", ())
    return str(folder_of(source.model, source.revision)[0]) if reads else None


def _of_file(options: Namespace):
    from harness.study import load_module

    if options.data or options.taken or options.path:
        raise ValueError(f"--data, --path and --take would be ignored, {options.model} says both: leave them out")
    module = load_module(options.model)
    for name, what in (("TRUNK", "the network, a Hub(...) or a Made of your own"), ("DATA", "a data set")):
        if not hasattr(module, name):
            raise ValueError(f"{options.model} defines no {name}, which is {what}")
    return module.TRUNK, module.DATA


ATTACH = Verb("attach", MAKE, "train a causal block on the frozen trunk of your own masked network",
              "ssmd-bench attach my_model --data fasta --path chains.fasta --length 120", _options, attach)
