"""Writes spec/goldens/onnx: test cases of the ONNX operators, inputs and outputs, of those that our ops can compute.

    /usr/bin/python3 spec/goldens/generate/onnx_cases.py

Reads the cases that ONNX ships for its backends, as Debian packages them (libonnx-testdata and python3-onnx, both 1.12):
folders with a model of one operator or a few, and the inputs and outputs as serialised tensors. Nothing is computed here;
numbers are copied as they are. What is left out is in the manifest too, each case with the reason. Running it again
leaves the same bytes.

manifest.json holds one case a line:

    name      group/case as ONNX names them
    op        what the report calls it: the operator; the operator it stands for, "as a graph"; or all operators of the graph
    opset     version of the operator set
    nodes     [{op, inputs, outputs, attributes}], in an order in which they can run; null is a value that is not given or
              not wanted, #n one between two nodes
    inputs    {name in the graph: tensor}; outputs likewise
    dtypes    of all tensors, as safetensors calls them

A tensor is the name of one in cases.safetensors or, where it is a scalar, a constant of the graph or a short list of
int64 (axes, sizes, positions), {dtype, shape, values}. Tensors with the same content are kept once, under the first name.
"""
import json
import sys
from pathlib import Path

import numpy
import onnx
import safetensors_io
from onnx import TensorProto, numpy_helper

DATA = Path("/usr/share/libonnx-testdata/data")
OUT = Path(__file__).parent.parent / "onnx"
GROUPS = ["node", "simple", "pytorch-operator", "pytorch-converted"]

# Beyond the dtypes that the other goldens need; bfloat16 travels as its bits.
safetensors_io.NAMES.update(
    {numpy.dtype("<f2"): "F16", numpy.dtype("<u2"): "BF16", numpy.dtype("i1"): "I8", numpy.dtype("<i2"): "I16"}
)

DTYPES = {
    TensorProto.FLOAT: "F32",
    TensorProto.DOUBLE: "F64",
    TensorProto.FLOAT16: "F16",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.INT64: "I64",
    TensorProto.INT32: "I32",
    TensorProto.INT16: "I16",
    TensorProto.INT8: "I8",
    TensorProto.BOOL: "BOOL",
}

# A tensor of more elements is left out: the files are to stay small, and each such case has smaller ones beside it.
LARGEST = 10_000
# Lists of int64 up to this length are written out in the manifest.
LITERAL = 16

COVERED = """
    Abs Acosh Add And ArgMax ArgMin Asinh Atanh AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Compress Concat
    Constant ConstantOfShape Conv Cos Cosh DepthToSpace Div Dropout Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
    GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Gradient Greater GreaterOrEqual HardSigmoid HardSwish Hardmax
    Identity InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool
    Mean MeanVarianceNormalization Min Mod Mul Neg NegativeLogLikelihoodLoss Not OneHot Or PRelu Pad Pow Range Reciprocal
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
    Reshape ReverseSequence Round Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus
    Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Where Xor
""".split()

# Why an operator is left out; the others have no counterpart among the ops, nor a short composition of them.
REASONS = {
    "sequences and optional values, not tensors": """ConcatFromSequence OptionalGetElement OptionalHasElement SequenceAt
        SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence""",
    "control flow with graphs inside": "If Loop Scan",
    "strings": "StringNormalizer TfIdfVectorizer",
    "quantised integers": """ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul
        QuantizeLinear""",
    "unsigned integers": "BitShift",
    "random numbers of another generator": "Bernoulli RandomUniformLike",
    "another optimiser than AdamW": "Adagrad Adam Momentum",
    "no recurrent networks": "GRU LSTM RNN",
    "the shape of the result depends on the numbers": "NonMaxSuppression NonZero Unique",
}
WHY = {op: why for why, names in REASONS.items() for op in names.split()}


class NotCovered(Exception):
    def __init__(self, op, why):
        super().__init__(why)
        self.op, self.why = op, why


def dtype_name(data_type, op):
    if data_type not in DTYPES:
        raise NotCovered(op, f"dtype {TensorProto.DataType.Name(data_type).lower()}")
    return DTYPES[data_type]


def array_of(tensor, op, declared=None):
    """(dtype, values) of a serialised tensor. The cases keep bfloat16 as uint16, so the graph has to say which it is."""
    values = numpy_helper.to_array(tensor)
    if declared == TensorProto.BFLOAT16 and tensor.data_type == TensorProto.UINT16:
        return "BF16", values
    if tensor.data_type == TensorProto.BFLOAT16:
        raise NotCovered(op, "dtype bfloat16 beyond casts")
    return dtype_name(tensor.data_type, op), values


def literal(dtype, values):
    return {"dtype": dtype, "shape": list(values.shape), "values": values.reshape(-1).tolist()}


class Store:
    """Tensors by content, so that a case and the same case as a graph share theirs."""

    def __init__(self):
        self.tensors = {}
        self.names = {}

    def refer(self, name, dtype, values):
        finite = dtype in ("F32", "F64", "I32", "I64", "BOOL") and numpy.isfinite(values).all()
        if finite and (values.ndim == 0 or (dtype == "I64" and values.size <= LITERAL)):
            return literal(dtype, values)
        key = (dtype, values.shape, values.tobytes())
        if key not in self.names:
            self.names[key] = name
            self.tensors[name] = values
        return self.names[key]


def attribute(node, entry):
    if entry.type == onnx.AttributeProto.TENSOR:
        return literal(*array_of(entry.t, node.op_type))
    if entry.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        raise NotCovered(node.op_type, "control flow with graphs inside")
    value = onnx.helper.get_attribute_value(entry)
    if isinstance(value, bytes):
        return value.decode()
    if entry.type == onnx.AttributeProto.STRINGS:
        return [text.decode() for text in value]
    return value if isinstance(value, (int, float)) else list(value)


def read_nodes(graph):
    """Values between the nodes are numbered: ONNX makes long names for them."""
    names = {value.name: value.name for value in [*graph.input, *graph.output]}

    def short(name):
        return names.setdefault(name, f"#{len(names)}") if name else None

    return [
        {
            "op": node.op_type,
            "inputs": [short(name) for name in node.input],
            "outputs": [short(name) for name in node.output],
            "attributes": {entry.name: attribute(node, entry) for entry in node.attribute},
        }
        for node in graph.node
    ]


def check_ops(graph, title):
    for node in graph.node:
        if node.op_type not in COVERED:
            raise NotCovered(node.op_type, WHY.get(node.op_type, "no such op"))
    values = [*graph.input, *graph.output]
    if any(not value.type.HasField("tensor_type") for value in values):
        raise NotCovered(title, "sequences and optional values, not tensors")
    for value in values:
        dtype_name(value.type.tensor_type.elem_type, title)
    for value in values:
        shape = value.type.tensor_type.shape.dim
        if numpy.prod([dim.dim_value for dim in shape], dtype=numpy.int64) > LARGEST:
            raise NotCovered(title, f"a tensor of more than {LARGEST} elements")


def check_details(graph, title, tensors, expected):
    """What single operators cannot do, and expected results that are not those of the operator's definition."""
    node = graph.node[0]
    if node.op_type == "Dropout" and len(node.input) > 2:
        ratio, training = (tensors[name][1] for name in node.input[1:3])
        if training and ratio > 0:
            raise NotCovered(title, "random numbers of another generator")
    if node.op_type == "MaxPool" and len(node.output) > 1:
        raise NotCovered(title, "no positions of the maxima")
    if "Window" in title:
        raise NotCovered(title, "the expected result was computed with 3.1415 for π, the graph has 6.2831855 for 2π")
    if any(dtype == "BF16" for dtype, _ in expected.values()):
        raise NotCovered(title, "the expected bfloat16 is cut off; ours is rounded to nearest, halves to even")


def report_name(name, graph, ops):
    kinds = [node.op_type for node in graph.node if node.op_type != "Constant"]
    if name.endswith("_expanded") and len(graph.node) > 1:
        return f"{ops[name[: -len('_expanded')]]} as a graph"
    return " + ".join(kinds) if kinds else "Constant"


def read_tensor(path, op, value):
    tensor = TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return array_of(tensor, op, value.type.tensor_type.elem_type)


def read_case(folder, name, store, ops):
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    ops[name] = graph.node[0].op_type
    title = report_name(name, graph, ops)
    check_ops(graph, title)
    nodes = read_nodes(graph)

    tensors = {tensor.name: array_of(tensor, title) for tensor in graph.initializer}
    given = [value for value in graph.input if value.name not in tensors]
    data = folder / "test_data_set_0"
    for i, value in enumerate(given):
        tensors[value.name] = read_tensor(data / f"input_{i}.pb", title, value)
    expected = {
        value.name: read_tensor(data / f"output_{i}.pb", title, value) for i, value in enumerate(graph.output)
    }
    # One set of data is all that a case has; a second one would be left out unseen.
    assert not (folder / "test_data_set_1").exists(), folder
    check_details(graph, title, tensors, expected)

    def refer(items):
        return {key: store.refer(f"{name}/{key}", *value) for key, value in items.items()}

    return {
        "name": name,
        "op": title,
        "opset": max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")),
        "nodes": nodes,
        "inputs": refer(tensors),
        "outputs": refer(expected),
        "dtypes": sorted({dtype for dtype, _ in [*tensors.values(), *expected.values()]}),
    }


def main():
    store, ops, cases, left_out = Store(), {}, [], []
    for group in GROUPS:
        # Before its graph comes the operator itself, whose tensors the graph then shares.
        for folder in sorted((DATA / group).iterdir(), key=lambda path: path.name.replace("_expanded", "~")):
            name = f"{group}/{folder.name[len('test_'):]}"
            try:
                cases.append(read_case(folder, name, store, ops))
            except NotCovered as error:
                left_out.append({"name": name, "op": error.op, "why": error.why})
    for folder in sorted((DATA / "real").iterdir()):
        name = f"real/{folder.name[len('test_'):]}"
        left_out.append({"name": name, "op": "whole networks", "why": "not in the package, only where to fetch them"})

    OUT.mkdir(exist_ok=True)
    safetensors_io.write(OUT / "cases.safetensors", store.tensors, {"onnx": onnx.__version__})
    head = {
        "kind": "onnx",
        "origin": f"test cases of the ONNX backends, onnx {onnx.__version__}, as Debian packages them in libonnx-testdata 1.12.0-2",
        "source": "https://github.com/onnx/onnx",
        "licence": "Expat (MIT)",
        "copyright": "Facebook, Inc.; Microsoft Corporation; ONNX Project Contributors",
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, entries in [("cases", cases), ("leftOut", left_out)]:
        rows = ",\n".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in entries)
        lines.append(f"{json.dumps(key)}: [\n{rows}\n]")
    (OUT / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(cases)} cases, {len(left_out)} left out, {len(store.tensors)} tensors", file=sys.stderr)


if __name__ == "__main__":
    main()
