"""The model card and the description that ship beside the reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.judge import CorpusFigures, PairFigures

LICENCES = {
    "h2oevals": "h2oai/h2o-evals (a5ece86), MPL-2.0; the source PDFs belong to their issuers",
    "doc2dial": "doc2dial/sharedtask-dialdoc2021 (0853dbbe3f), "
    "no licence stated there (elsewhere said: CC BY 3.0)",
    "policyqa": "wasiahmad/PolicyQA (775538b), MIT",
    "contractnli": "stanfordnlp/contract-nli-bert (5e467ef380, c12da76dd7), CC BY 4.0",
    "medquad": "abachaa/MedQuAD (577bd37), CC BY 4.0",
    "clapnq": "primeqa/clapnq (eb26840), Apache-2.0; Wikipedia text CC BY-SA 3.0",
    "qed": "google-research-datasets/QED (2492920 and train shards), CC BY-SA 3.0",
    "selqa": "emorynlp/selqa (fef3d6a), Apache-2.0",
    "covidqa": "deepset-ai/COVID-QA (a62d03f2b5), Apache-2.0",
    "squad2_dev": "rajpurkar/SQuAD-explorer (e0c66cf), SQuAD 2.0 dev, CC BY-SA 4.0",
    "squad1_train": "rajpurkar/SQuAD-explorer (13f82e3), SQuAD 1.1 train, CC BY-SA 4.0",
    "written": "`training/written`, invented documents by a language model, Apache-2.0",
    "organisations": "its folders, handbooks of invented organisations, the same",
}
"""Origin and licence of what may be trained on."""

TEMPLATE = Path(__file__).with_name("card.md")


def _data_table(counts: Mapping[str, int]) -> str:
    lines = ["| source | pairs drawn | origin and licence |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {count:,} | {LICENCES.get(name, 'made from ' + name.split(':')[0])} |"
        for name, count in sorted(counts.items())
    ]
    return "\n".join(lines)


def _file_table(files: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| file | MB | SHA-256 |", "| --- | --- | --- |"]
    lines += [f"| {name} | {f['size'] / 1e6:.1f} | `{f['sha256']}` |" for name, f in files.items()]
    return "\n".join(lines)


def _pair_table(figures: Mapping[str, PairFigures], judging_only: tuple[str, ...]) -> str:
    lines = [
        "| source | pairs | AUROC of answerable | right sentence |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name}{' (never trained on)' if name in judging_only else ''} | {f.pairs} "
        f"| {f.auroc:.3f} | {f.right:.3f} |"
        for name, f in figures.items()
    ]
    return "\n".join(lines)


def _corpus_table(figures: Mapping[str, CorpusFigures]) -> str:
    lines = [
        "| corpus | AUROC | hit@1 | hit@3 | evidence retrieved |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {f.auroc:.3f} | {f.hit1:.3f} | {f.hit3:.3f} | {f.reachable:.3f} |"
        for name, f in figures.items()
    ]
    return "\n".join(lines)


def write_description(
    path: Path,
    facts: Mapping[str, Any],
    pairs: Mapping[str, PairFigures],
    corpora: Mapping[str, CorpusFigures],
) -> None:
    """Write ``reader.json``: facts about the files, then the figures. A rename publishes it."""
    figures = {
        "pairs": {name: asdict(f) for name, f in pairs.items()},
        "corpora": {name: asdict(f) for name, f in corpora.items()},
    }
    _publish(path, json.dumps({**facts, "figures": figures}, indent=2, sort_keys=True) + "\n")


def write_card(
    path: Path,
    facts: Mapping[str, Any],
    pairs: Mapping[str, PairFigures],
    corpora: Mapping[str, CorpusFigures],
    judging_only: tuple[str, ...],
) -> None:
    """Fill the template of the model card with the same facts and figures."""
    text = TEMPLATE.read_text(encoding="utf-8").format(
        **{name: value for name, value in facts.items() if not isinstance(value, Mapping)},
        doc2dial_used="was used" if facts["data"].get("doc2dial") else "was not used",
        total=sum(facts["data"].values()),
        data=_data_table(facts["data"]),
        files=_file_table(facts["files"]),
        pair_figures=_pair_table(pairs, judging_only),
        corpus_figures=_corpus_table(corpora),
    )
    _publish(path, text)


def _publish(path: Path, text: str) -> None:
    aside = path.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
