"""A second reading of FlowJo's workspaces, by FlowKit: counts to hold ours against.

FlowKit (https://github.com/whitews/FlowKit) reads all of a workspace or nothing, has no stored
counts and takes gates on plain channels of a matrix for gates on compensated ones. So workspaces
are read by `statera.cytometry.flowjo`, and FlowKit serves as the check.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from statera.errors import InputError, Place, UsageError

__all__ = ["flowkit_counts"]


def flowkit_counts(workspace: str | Path, fcs: str | Path) -> dict[str, int]:
    """Return the counts of a file's populations by FlowKit, by path such as ``Live/CD3+``.

    Parameters
    ----------
    workspace
        A workspace of FlowJo (.wsp).
    fcs
        A file that it has as a sample of the same name.

    Raises
    ------
    UsageError
        If FlowKit is not installed.
    InputError
        If FlowKit cannot read the workspace or the file is not among its samples.
    """
    try:
        import flowkit  # noqa: PLC0415  an extra
    except ImportError as error:
        raise UsageError(
            "FlowKit is not installed",
            hint='Install it by: pip install "statera[flowjo]"',
        ) from error
    where = Place(str(workspace))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files that the workspace names and that are not given
        try:
            read = flowkit.Workspace(str(workspace), fcs_samples=str(fcs), filename_as_id=True)
            read.analyze_samples(use_mp=False)
            if not read.get_sample_ids():
                raise InputError(f"the workspace has no sample of the file {fcs}", where=where)
            rows = read.get_analysis_report().to_dict("records")
        except InputError:
            raise
        except Exception as error:  # FlowKit raises errors of many kinds at what it cannot read
            raise InputError(f"FlowKit cannot read the workspace: {error}", where=where) from error
    return {"/".join([*row["gate_path"][1:], row["gate_name"]]): int(row["count"]) for row in rows}
