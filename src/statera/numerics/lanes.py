"""Sums of rows of eight columns, written for the vector unit; compiled code calls them.

Of a loop over columns whose number is not known beforehand a compiler cannot tell that several
columns may be done at once. Here eight columns (lanes) lie next to each other and are loaded,
summed in registers and stored as one vector each, which serves any sparse matrix by its tables and
needs no code of its own for each model.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["LANES", "add_rows", "add_rows_by"]

LANES = 8
"""Columns in a block; a block of fewer is padded with columns of zeros."""


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [at], inbounds=True)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any, *, indirect: bool) -> Any:
    """Write the loop; see `add_rows` for the arguments."""
    vector = ir.VectorType(ir.DoubleType(), LANES)
    kinds = list(signature.args)
    if indirect:
        order_kind, order = kinds.pop(7), arguments[7]
        arguments = [*arguments[:7], *arguments[8:]]
    (out, at, origin, origin_at, scale, values, shift, places, first, last, source, base) = (
        arguments
    )

    def lanes(kind: Any, array: Any, where: Any) -> Any:
        place = _pointer(context, builder, kind, array, where)
        return builder.bitcast(place, vector.as_pointer())

    def spread(value: Any) -> Any:
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), mask)

    def load(kind: Any, array: Any, where: Any) -> Any:
        found = builder.load(lanes(kind, array, where))
        found.align = 8
        return found

    kind = ir.FunctionType(vector, [vector, vector, vector])
    fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{LANES}f64")
    total = cgutils.alloca_once(builder, vector)
    begin = builder.fmul(load(kinds[2], origin, origin_at), spread(scale))
    builder.store(begin, total)
    with cgutils.for_range_slice(builder, first, last, first.type(1), first.type) as (entry, _):
        place = builder.load(_pointer(context, builder, kinds[7], places, entry))
        number = entry
        if indirect:
            number = builder.load(_pointer(context, builder, order_kind, order, entry))
        number = builder.add(number, shift)
        value = builder.load(_pointer(context, builder, kinds[5], values, number))
        row = load(kinds[10], source, builder.add(base, place))
        builder.store(builder.call(fused, [spread(value), row, builder.load(total)]), total)
    end = builder.store(builder.load(total), lanes(kinds[0], out, at))
    end.align = 8
    return context.get_dummy_value()


@intrinsic
def add_rows(
    typing: Any, out: Any, at: Any, origin: Any, origin_at: Any, scale: Any, values: Any,
    shift: Any, places: Any, first: Any, last: Any, source: Any, base: Any,
) -> Any:  # fmt: skip
    """Write ``scale origin + sum of values times rows of source`` to eight lanes of `out`.

    ``out[at + l] = scale origin[origin_at + l]
    + sum_e values[shift + e] source[base + places[e] + l]`` for ``e`` from `first` to `last` and
    the eight lanes ``l``. Arrays are contiguous; `out` may be `origin` or hold other rows of
    `source`. Nothing is checked.
    """
    whole = types.int64
    signature = types.void(
        out, whole, origin, whole, types.float64, values, whole, places, whole, whole, source, whole
    )

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _emit(context, builder, signature, arguments, indirect=False)

    return signature, write


@intrinsic
def add_rows_by(
    typing: Any, out: Any, at: Any, origin: Any, origin_at: Any, scale: Any, values: Any,
    shift: Any, order: Any, places: Any, first: Any, last: Any, source: Any, base: Any,
) -> Any:  # fmt: skip
    """Do what `add_rows` does with ``values[shift + order[e]]``."""
    whole = types.int64
    signature = types.void(
        out, whole, origin, whole, types.float64, values, whole, order, places, whole, whole,
        source, whole,
    )  # fmt: skip

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _emit(context, builder, signature, arguments, indirect=True)

    return signature, write
