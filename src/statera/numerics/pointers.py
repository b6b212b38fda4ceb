"""Compiled functions as pointers, which cost nothing to hand over.

numba finds the address of a compiled function anew whenever it is passed to another one, which
takes about 50 us; a small system is solved in less. Here the address is looked up once.
"""

from __future__ import annotations

from typing import Any

from numba import types

__all__ = ["Pointer"]


class Pointer(types.WrapperAddressProtocol):
    """A compiled function of one signature, for compiled code and for Python.

    Parameters
    ----------
    function
        A compiled function, which is kept alive.
    signature
        One that it was compiled for.
    """

    def __init__(self, function: Any, signature: Any) -> None:
        self._function = function
        self._signature = signature
        self._numba_type_ = types.FunctionType(signature)
        result = function.get_compile_result(signature)
        name = result.fndesc.llvm_cfunc_wrapper_name
        self._address = int(result.library.get_pointer_to_function(name))

    def __wrapper_address__(self) -> int:  # the name that numba asks for
        return self._address

    def signature(self) -> Any:
        """Return the signature, as numba asks for it."""
        return self._signature

    def __call__(self, *arguments: Any) -> Any:
        """Call the function from Python."""
        return self._function(*arguments)
