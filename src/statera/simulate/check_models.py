"""Check the published models of the library: sources, names, and that each reproduces itself."""

from __future__ import annotations

from collections.abc import Callable

from statera.errors import InputError, Place, StateraError
from statera.library import Finding, Severity, load_names, load_references
from statera.library.models import load_model, model_ids
from statera.library.paths import Root
from statera.model import Model
from statera.simulate.expectations import check_expectations

__all__ = ["check_models"]


def check_models(
    root: Root | None = None, progress: Callable[[str, float | None], None] | None = None
) -> tuple[Finding, ...]:
    """Return what is wrong with the models; nothing where all is well.

    Every model must be readable, cite a known source, use registered covariate names, and hold
    its ``[[expect]]`` rows when it is simulated.
    """
    findings: list[Finding] = []
    keys = model_ids(root)
    for index, key in enumerate(keys):
        if progress:
            progress(f"model {key}", index / len(keys))
        place = Place(f"models/{key}.toml")
        try:
            model = load_model(key, root)
            sentences = [*_names(key, model, root), *_results(model)]
        except InputError as error:
            where = error.where if isinstance(error.where, Place) else place
            findings.append(Finding(where, Severity.ERROR, error.what))
            continue
        except StateraError as error:
            sentences = [str(error)]
        findings += [Finding(place, Severity.ERROR, sentence) for sentence in sentences]
    return tuple(findings)


def _names(key: str, model: Model, root: Root | None) -> list[str]:
    found = []
    if model.id != key:
        found.append(f"the id '{model.id}' does not match the file's name")
    if model.source not in load_references(root):
        found.append(f"the source '{model.source}' is not in references.json")
    registered = {name.name for name in load_names(root)}
    found += [
        f"the covariate '{name}' is not in names.toml"
        for name in model.covariates
        if name not in registered
    ]
    if not model.expectations:
        found.append("the model has no [[expect]] row: nothing shows that it was encoded rightly")
    return found


def _results(model: Model) -> list[str]:
    return [result.sentence for result in check_expectations(model) if not result.ok]
