"""Permutation of labels for an analysis: the samples and the method as the analysis has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from statera.biomarker.analysis import AnalysisOptions, testable_values
from statera.biomarker.change_samples import change_of_samples
from statera.biomarker.design import Factor
from statera.biomarker.permutation import (
    PermutationOptions,
    PermutationTests,
    stream_association_permutations,
)
from statera.biomarker.sample_table import SampleColumns
from statera.errors import UnknownNameError, UsageError

__all__ = ["PERMUTED", "stream_permuted_analysis"]

PERMUTED = ("satterthwaite", "kenward-roger", "linear")
"""Methods whose F statistics are permuted."""


def stream_permuted_analysis(
    samples: SampleColumns,
    options: AnalysisOptions,
    permutation: PermutationOptions,
    block: str | None = None,
) -> Iterator[PermutationTests]:
    """Yield the permutation tests of an analysis as they proceed.

    Parameters
    ----------
    samples, options
        As given to `statera.biomarker.analysis.analyse`.
    permutation
        How labels are permuted.
    block
        Column within whose values labels are exchanged.

    Raises
    ------
    UsageError
        If the method has no permutation.
    UnknownNameError
        If `block` is no column.
    """
    if options.method not in PERMUTED:
        raise UsageError(
            f"labels are not permuted for {options.method}",
            where="permutations",
            hint=f"Permutation goes with {', '.join(PERMUTED)}.",
        )
    used = samples
    if options.change is not None:
        used = change_of_samples(samples, *options.change)
    values, _ = testable_values(used)
    labels: Sequence[object] | None = None
    if block is not None:
        if block not in used.columns:
            raise UnknownNameError("column", block, used.columns, where="permutations")
        column = used.columns[block]
        labels = column.labels if isinstance(column, Factor) else column.tolist()
    people = used.subject if options.method != "linear" else None
    return stream_association_permutations(
        values,
        used.columns,
        options.formula,
        people,
        permutation,
        blocks=labels,
        block_name=block or "blocks",
    )
