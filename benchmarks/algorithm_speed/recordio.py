"""Rows in RecordIO of protobuf Records: reading and writing, beside Google's protobuf library."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

_DENSE, _SPARSE = (500_000, 30), (200_000, 5_000)
_QUICK_ROWS = 2_000
_FILLED = 50
_MAGIC = 0xCED7230A

TITLE = "RecordIO-protobuf: 500,000 dense rows of 30, 200,000 sparse rows of 50 in 5,000"
METHOD = (
    "Rows of float32 with a label each, 84 MB of dense and 71 MB of sparse ones. Reading goes from "
    "the bytes in memory to a matrix (rows x columns, or CSR) and its labels, writing the other "
    "way; one core, in MB of RecordIO per second of processor time. Beside it is the loop that "
    "notebooks have: framing with struct, a message of google.protobuf (in C) for each record, its "
    "numbers put into a matrix. Compiled code was loaded before."
)
PACKAGES = ("protobuf", "scipy")
COLUMNS = ("dense read MB/s", "dense write MB/s", "sparse read MB/s", "sparse write MB/s")
ROUNDS = 3


def prepare(folder: Path, quick: bool) -> None:
    """Write the rows as arrays."""
    random = np.random.default_rng(0)
    rows, width = _DENSE
    rows = _QUICK_ROWS if quick else rows
    np.save(folder / "dense.npy", random.normal(size=(rows, width)).astype(np.float32))
    rows, width = _SPARSE
    rows = _QUICK_ROWS if quick else rows
    step = width // _FILLED
    keys = random.integers(0, step, size=(rows, _FILLED)) + np.arange(_FILLED) * step
    values = random.normal(size=rows * _FILLED).astype(np.float32)
    pointers = np.arange(rows + 1) * _FILLED
    matrix = sparse.csr_matrix((values, keys.ravel(), pointers), shape=(rows, width))
    sparse.save_npz(folder / "sparse.npz", matrix, compressed=False)


Read = Callable[[bytes], tuple[Any, Any]]
Write = Callable[[Any, Any], bytes]


def _measured(folder: Path, read: Read, write: Write) -> Sequence[float]:
    found: list[float] = []
    for matrix in (np.load(folder / "dense.npy"), sparse.load_npz(folder / "sparse.npz")):
        labels = np.arange(matrix.shape[0], dtype=np.float32)
        began = time.process_time()
        data = write(matrix, labels)
        written = time.process_time()
        back, labels_back = read(data)
        ended = time.process_time()
        found += [len(data) / 1e6 / (ended - written), len(data) / 1e6 / (written - began)]
        same = (back != matrix).nnz == 0 if sparse.issparse(matrix) else (back == matrix).all()
        if not same or not (labels_back == labels).all():
            raise AssertionError("What was read is not what was written.")
    return found


def _ours(folder: Path, quick: bool) -> Sequence[float]:
    import bottega.algorithms.readers.kernels  # noqa: F401
    from bottega.algorithms.readers import record_blocks
    from bottega.algorithms.readers.blocks import Layout
    from bottega.algorithms.readers.record_writing import write_rows
    from bottega.algorithms.readers.rows import gather

    class Stream(io.BytesIO):
        name = "rows"

    def read(data: bytes) -> tuple[Any, Any]:
        rows = gather(record_blocks.blocks(Stream(data), Layout()))  # type: ignore[arg-type]
        assert rows is not None
        return rows.features, rows.labels

    def write(matrix: Any, labels: Any) -> bytes:
        file = io.BytesIO()
        write_rows(file, matrix, labels)
        return file.getvalue()

    return _measured(folder, read, write)


def _theirs(folder: Path, quick: bool) -> Sequence[float]:
    record = _record_class()

    def read(data: bytes) -> tuple[Any, Any]:
        labels, values, keys, width = [], [], [], 0
        for payload in _payloads(data):
            message = record()
            message.ParseFromString(payload)
            tensor = message.features["values"].float32_tensor
            labels.append(message.label["values"].float32_tensor.values[0])
            values.append(np.array(tensor.values, dtype=np.float32))
            if tensor.keys:
                keys.append(np.array(tensor.keys, dtype=np.int32))
                width = tensor.shape[0]
        found = np.array(labels, dtype=np.float32)
        if not keys:
            return np.stack(values), found
        pointers = np.cumsum([0, *map(len, keys)])
        together = (np.concatenate(values), np.concatenate(keys), pointers)
        return sparse.csr_matrix(together, shape=(len(keys), width)), found

    def write(matrix: Any, labels: Any) -> bytes:
        file = io.BytesIO()
        for row in range(matrix.shape[0]):
            message = record()
            tensor = message.features["values"].float32_tensor
            if sparse.issparse(matrix):
                inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
                tensor.values.extend(matrix.data[inside])
                tensor.keys.extend(matrix.indices[inside])
                tensor.shape.append(matrix.shape[1])
            else:
                tensor.values.extend(matrix[row])
            message.label["values"].float32_tensor.values.append(labels[row])
            payload = message.SerializeToString()
            file.write(struct.pack("<II", _MAGIC, len(payload)))
            file.write(payload + bytes(-len(payload) & 3))
        return file.getvalue()

    return _measured(folder, read, write)


def _payloads(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        yield data[at + 8 : at + 8 + length]
        at += 8 + length + (-length & 3)


def _record_class() -> Any:
    """The message ``Record``, with the fields that are needed here."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r", syntax="proto2")

    def add(
        message: Any, name: str, number: int, kind: int, of: str = "", many: bool = False
    ) -> Any:
        return message.field.add(
            name=name,
            number=number,
            type=kind,
            type_name=f".r.{of}" if of else None,
            label=field.LABEL_REPEATED if many else field.LABEL_OPTIONAL,
        )

    tensor = file.message_type.add(name="Float32Tensor")
    for number, (name, kind) in enumerate(
        (("values", field.TYPE_FLOAT), ("keys", field.TYPE_UINT64), ("shape", field.TYPE_UINT64)), 1
    ):
        add(tensor, name, number, kind, many=True).options.packed = True
    add(
        file.message_type.add(name="Value"),
        "float32_tensor",
        2,
        field.TYPE_MESSAGE,
        "Float32Tensor",
    )
    record = file.message_type.add(name="Record")
    for name, number, entry in (("features", 1, "FeaturesEntry"), ("label", 2, "LabelEntry")):
        nested = record.nested_type.add(name=entry)
        nested.options.map_entry = True
        add(nested, "key", 1, field.TYPE_STRING)
        add(nested, "value", 2, field.TYPE_MESSAGE, "Value")
        add(record, name, number, field.TYPE_MESSAGE, f"Record.{entry}", many=True)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("r.Record"))


CONTESTANTS = {"bottega": _ours, "google.protobuf": _theirs}
RATIOS = tuple(
    (f"bottega / google.protobuf, {column}", "bottega", "google.protobuf", column)
    for column in COLUMNS
)
