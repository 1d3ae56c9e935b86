"""Claims hmm_subwords.{transition_kl, trigram_kl, nll_excess}.ARM, and of arms in steps .at_STEPS behind."""

from functools import partial

from studies.hmm_long.claims import claims as of_an_oracle

claims = partial(of_an_oracle, name="hmm_subwords")
