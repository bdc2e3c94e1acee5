"""Reading and writing safetensors files with numpy alone.

A file is: 8 bytes, the length n of the header (little endian); n bytes of JSON, padded with blanks to a multiple of 8:
{name: {dtype, shape, data_offsets}}; then the tensors, little endian, row by row. The same tensors always make the same
bytes: those of wider numbers come first, so that every tensor is aligned, and in each width names are sorted.
"""
import json
from pathlib import Path

import numpy

DTYPES = {
    "F64": numpy.dtype("<f8"),
    "I64": numpy.dtype("<i8"),
    "F32": numpy.dtype("<f4"),
    "I32": numpy.dtype("<i4"),
    "BOOL": numpy.dtype("bool"),
}
# Version of what the files of these generators hold; readers refuse another (src/verify/golden.ts).
FORMAT = "1"
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def read(path):
    """{name: array} of all tensors in the file."""
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{path}: {name} is {entry['dtype']}, expected one of {', '.join(DTYPES)}")
        first, last = entry["data_offsets"]
        values = numpy.frombuffer(data[start + first : start + last], dtype=DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors


def write(path, tensors, metadata=None):
    """Writes {name: array}. `metadata` maps strings to strings: versions and seeds, whatever the tensors depend on."""
    arrays = {}
    for name, values in tensors.items():
        # ascontiguousarray would make a scalar one-dimensional.
        array = numpy.asarray(values, order="C")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype not in NAMES:
            raise ValueError(f"{path}: {name} is {array.dtype}, expected one of {', '.join(map(str, NAMES))}")
        arrays[name] = array
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header = {"__metadata__": {"format": FORMAT, **dict(sorted((metadata or {}).items()))}}
    offset = 0
    for name in order:
        array = arrays[name]
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in order:
            file.write(arrays[name].tobytes())
