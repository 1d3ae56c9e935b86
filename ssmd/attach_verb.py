"""The verb `attach`: a causal block trained on the frozen trunk of somebody else's masked network.

    ssmd-bench attach my_model --data fasta --path chains.fasta --length 120 --take tokens=ACDEFGHIKLMNPQRSTVWY
    ssmd-bench attach my_model --data text_file --path corpus.txt          # in the tokens of the model's tokenizer
    ssmd-bench attach my_model --data self --prompts fasta --path chains.fasta --length 120 --set given=0.1
    ssmd-bench attach mine.py --out runs/attach       # a Python file with TRUNK and DATA, for what words cannot say
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, cast

from harness.boundary.arguments import JOBS, MAKE, Parser, Verb, number, path, whole, word

# of the block and its training, where --set gives no other: the width of the trunk, and a few minutes of two cores
TOKENS, HEADS, ROWS, LENGTH, SELF = 2e5, 4, 1024, 128, "self"


def _options(parser: Parser) -> None:
    parser.add_argument("model", type=word, help="folder or name of a masked language model of transformers, or a "
                                                 "Python file with TRUNK and DATA")
    parser.add_argument("--out", type=path, default=Path("runs/attach"))
    parser.add_argument("--data", type=word, help="data set that the block is trained on, or self: rows that the model "
                                                  "writes (default: that of the file)")
    parser.add_argument("--rows", type=whole(10, 1 << 24), help=f"of --data self (default {ROWS})")
    parser.add_argument("--prompts", type=word, metavar="DATA",
                        help="of --data self: data set whose rows give what --set given=SHARE leaves known")
    parser.add_argument("--path", type=word, help="of its files, or those of --prompts")
    parser.add_argument("--tokenizer", type=word, help="of a corpus of tokens (default: that of the model)")
    parser.add_argument("--length", type=whole(2, 65536), help="of a row, in tokens (default 128)")
    parser.add_argument("--tokens", type=number(0, 1e15, above=True),
                        help=f"in all, of the training (default {TOKENS:g})")
    parser.add_argument("--validation", type=whole(1, 1 << 20), default=128,
                        help="rows at most on which the block is judged at the end (default 128)")
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
    from harness.kinds import Dataset
    from harness.nets.device import checked
    from harness.run.guards import examined
    from harness.run.progress import tell
    from ssmd.attached import fresh, width_of
    from ssmd.own_rows import Begun, own_rows
    from ssmd.train.loop import train
    from ssmd.train.settings import Training
    from ssmd.train.updates import batches

    if options.threads:
        torch.set_num_threads(options.threads)
    source, data = _of_file(options) if options.model.endswith(".py") else _of_words(options)
    device, own = checked(options.device), options.data == SELF
    trunk = source.load(device)
    config = changed(Training(network="hybrid", frozen=True, width=width_of(trunk)[0], heads=HEADS,
                              blocks=trunk.blocks("draft") + 1, tokens=options.tokens or TOKENS, written=own),
                     options.changes)
    if data is not None and trunk.vocab != data.vocab:
        raise ValueError(f"the model writes {trunk.vocab} tokens and {data.name} has {data.vocab}: choose data that "
                         "fit")
    if data is not None:
        examined(trunk, options.model, data)
    if own:
        if options.prompts and not config.given:
            raise ValueError("--prompts gives what is known of each row: say how much with --set given=0.1, for "
                             "example")
        begun = Begun(data, batches(data, "train", 0, device), config.given) if data and config.given else None
        if begun and options.length and options.length != data.length:
            raise ValueError(f"--length {options.length} is not that of {data.name}, whose rows begin these, "
                             f"{data.length}: leave it out")
        length = data.length if begun else options.length or LENGTH
        data = cast(Dataset, own_rows(trunk, options.rows or ROWS, length, 0, options.out, tell, begun))
        examined(trunk, options.model, data)
    if trunk.block and data.length > trunk.block:
        raise ValueError(f"{options.model} writes {trunk.order}, and a block is trained on orders of every kind: give "
                         f"rows that are no longer (--length {trunk.block}), or another model")
    net = fresh(trunk, config.width, config.heads, config.causal, config.seed, config.blind)
    done = train(config, data, options.out, "block", device, say=tell, net=net, judged=options.validation,
                 command=typed(["ssmd-bench", *sys.argv[1:]]))
    print(_cost(net, data.length))
    print(f"in a study: nets={{\"attached\": AttachedTo({str(done)!r}, ...)}}, with the model as it was taken here")
    return {"checkpoint": str(done)}, 0


def _cost(net: Any, length: int) -> str:
    """What a verify pass of an eighth of a row costs, halfway, in a sentence."""
    window, half = max(1, length // 8), length // 2
    share = net.flops("verify", length, window, half + window, half) / net.flops("draft", length, window)
    counted = (f"NFE by convention A counts {net.blocks('verify') / net.blocks('draft'):.1%}" if net.alike(length) else
               "its block is unlike those of the model, so that NFE is counted in FLOPs")
    return f"a verify pass of {window} tokens takes {share:.1%} of the FLOPs of a pass of the model; {counted}"


def _of_words(options: Namespace):
    """The model, and the data in its tokens; where the model itself is to write them, those of the prompts or None."""
    from harness.cli._options import changed
    from harness.data.recounted import Recounted
    from harness.nets.hub import Hub
    from ssmd.commands import _dataset

    source = changed(Hub(options.model), options.taken)
    if not options.data:
        raise ValueError("attach needs --data, what the block is trained on, or a Python file with TRUNK and DATA")
    if options.data == SELF and not options.prompts:
        if options.path or options.tokenizer:
            raise ValueError("--data self takes no --path and no --tokenizer without --prompts: leave them out")
        return source, None
    if options.data != SELF and (options.rows or options.prompts):
        raise ValueError("--rows and --prompts are of --data self: leave them out")
    kind = options.prompts or options.data
    options.tokenizer = options.tokenizer or _of_model(source, kind)
    data = _dataset(Namespace(**vars(options) | {"data": kind}))
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

    if options.data not in (None, SELF) or options.taken or options.path or options.tokenizer or options.prompts:
        raise ValueError("--data, --prompts, --path, --tokenizer and --take would be ignored, "
                         f"{options.model} says all of it: leave them out")
    if options.data is None and (options.rows or options.length):
        raise ValueError(f"--rows and --length are of --data self, and {options.model} has its DATA: leave them out")
    module, own = load_module(options.model), options.data == SELF
    for name, what in (("TRUNK", "the network, a Hub(...) or a Made of your own"), ("DATA", "a data set")):
        if not hasattr(module, name) and not (own and name == "DATA"):
            raise ValueError(f"{options.model} defines no {name}, which is {what}")
    return module.TRUNK, getattr(module, "DATA", None)


ATTACH = Verb("attach", MAKE, "train a causal block on the frozen trunk of your own masked network",
              "ssmd-bench attach my_model --data fasta --path chains.fasta --length 120", _options, attach)
