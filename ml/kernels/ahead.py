"""Memory asked for before it is needed.

Belongs here: the processor's prefetch for kernels. Does not belong here: what is read.

A request's candidates lie all over the catalogue. Rows that are met one after the other wait for memory one after
the other; asked for some rows ahead they come while others are worked on: a table of 100,000 rows costs a third.
"""

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ml.kernels.kinds import COMPILED

# Rows ahead: memory answers while about so many are worked on.
ROWS = 16
# Floats of one line of the cache.
LINE = 16


@intrinsic
def fetch(_typing, array, _offset):
    """Ask for the line of memory that holds the element at an offset of the array as it lies."""

    def made(context, builder, signature, arguments):
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer, number = cgutils.voidptr_t, ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        called = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(held.data, [arguments[1]]), pointer)
        # To read, to keep, data.
        builder.call(called, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), made


@numba.njit(**COMPILED)
def fetch_row(table, row):
    """Ask for a row of a table (n, d) of four bytes a value."""
    width = table.shape[1]
    start = row * width
    for at in range(0, width, LINE):
        fetch(table, start + at)
    fetch(table, start + width - 1)
