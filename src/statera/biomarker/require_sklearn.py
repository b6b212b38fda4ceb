"""The library of prediction models, an extra of the installation."""

from __future__ import annotations

import importlib
from typing import Any

from statera.errors import UsageError

__all__ = ["one_thread", "require_sklearn", "without_checks"]


def require_sklearn(module: str) -> Any:
    """Return a module of scikit-learn.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            "prediction needs scikit-learn, which is not installed",
            hint="Install the extra: pip install 'statera[predict]'.",
        ) from error


def without_checks() -> Any:
    """Return a context in which scikit-learn does not check the types of arguments at each call.

    The checks take longer than a small fit, and there are tens of thousands of them.
    """
    return require_sklearn("sklearn").config_context(
        skip_parameter_validation=True, assume_finite=True
    )


def one_thread() -> Any:
    """Return a context in which linear algebra uses one thread.

    The matrices are small, so that threads cost more than they bring; and sums keep their order,
    so that a seed gives the same numbers whatever the number of processors.
    """
    return require_sklearn("threadpoolctl").threadpool_limits(limits=1, user_api="blas")
