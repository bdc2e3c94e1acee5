/**
 * ONNX's elementwise operators over ours. Where ours has no such op, the line says the formula.
 * https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md
 */
import { where } from '../../src/tensor/functions/index.ts';
import { isFloat } from '../../src/tensor/shape.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { type OnnxCall, type OnnxOp, scalar } from './call.ts';

export const negative = (x: Tensor): Tensor => (isFloat(x.dtype) ? x.neg() : scalar(0, x).sub(x));

export const minimum = (a: Tensor, b: Tensor): Tensor => where(a.lt(b), a, b);

/** Toward zero. */
const truncated = (x: Tensor): Tensor => x.to('int32').to(x.dtype);

function floor(x: Tensor): Tensor {
  const t = truncated(x);
  return where(x.lt(t), t.sub(1), t);
}

/** To the nearest whole number, halves to the even one. */
function round(x: Tensor): Tensor {
  const down = floor(x);
  const up = down.add(1);
  const rest = x.sub(down);
  const downIsEven = down.eq(floor(down.div(2)).mul(2));
  return where(rest.lt(0.5), down, where(rest.gt(0.5), up, where(downIsEven, down, up)));
}

export const not = (x: Tensor): Tensor => x.to('int32').eq(0);
const and = (a: Tensor, b: Tensor): Tensor => a.to('int32').mul(b.to('int32')).to('bool');
const or = (a: Tensor, b: Tensor): Tensor => a.to('int32').add(b.to('int32')).to('bool');
const xor = (a: Tensor, b: Tensor): Tensor => a.to('int32').sub(b.to('int32')).to('bool');

/** eˣ − 1 */
const expLess1 = (x: Tensor): Tensor => x.exp().sub(1);

/**
 * Input 1, laid against input 0. Before operator set 7 its first axis stood at the attribute `axis`; today both are aligned
 * at the right.
 */
function second(call: OnnxCall, axis = call.number('axis', -1)): Tensor {
  const b = call.input(1);
  if (call.scope.opset >= 7 || axis < 0) return b;
  const after = call.input(0).rank - axis - b.rank;
  return after > 0 ? b.reshape(...b.shape, ...new Array<number>(after).fill(1)) : b;
}

const unary =
  (f: (x: Tensor) => Tensor): OnnxOp =>
  (call) =>
    f(call.input(0));

const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): OnnxOp =>
  (call) =>
    f(call.input(0), second(call));

/** Of any number of inputs. */
const folded =
  (f: (a: Tensor, b: Tensor) => Tensor): OnnxOp =>
  ({ inputs }) =>
    inputs.reduce(f);

/** With ints on one side: computed in floats, the result has the dtype of the base. */
function power(x: Tensor, y: Tensor): Tensor {
  if (x.dtype === y.dtype) return x.pow(y);
  return isFloat(x.dtype) ? x.pow(y.to(x.dtype)) : x.to(y.dtype).pow(y).to(x.dtype);
}

/** The remainder has the sign of x (fmod) or of y. */
function remainder(x: Tensor, y: Tensor, signOfX: boolean): Tensor {
  const quotient = isFloat(x.dtype) ? truncated(x.div(y)) : x.div(y);
  const rest = x.sub(quotient.mul(y));
  return signOfX ? rest : where(rest.mul(y).lt(0), rest.add(y), rest);
}

/** Bounds were attributes before operator set 11. */
function clip(call: OnnxCall): Tensor {
  const x = call.input(0);
  const bound = (name: string, i: number) =>
    call.has(name) ? scalar(call.number(name, 0), x) : call.maybe(i);
  const [low, high] = [bound('min', 1), bound('max', 2)];
  const raised = low === null ? x : x.maximum(low);
  return high === null ? raised : minimum(raised, high);
}

const elu = (x: Tensor, alpha: number): Tensor => where(x.gt(0), x, expLess1(x).mul(alpha));
const hardSigmoid = (x: Tensor, alpha: number, beta: number): Tensor =>
  minimum(x.mul(alpha).add(beta).relu(), scalar(1, x));

export const elementwise: Readonly<Record<string, OnnxOp>> = {
  Abs: unary((x) => x.abs()),
  Acosh: unary((x) => x.add(x.mul(x).sub(1).sqrt()).log()), // ln(x + √(x² − 1))
  Asinh: unary((x) => x.add(x.mul(x).add(1).sqrt()).log()), // ln(x + √(x² + 1))
  Atanh: unary((x) => x.add(1).div(scalar(1, x).sub(x)).log().mul(0.5)), // ½ ln((1 + x)/(1 − x))
  Ceil: unary((x) => floor(x.neg()).neg()),
  Cos: unary((x) => x.cos()),
  Cosh: unary((x) => x.exp().add(x.neg().exp()).mul(0.5)),
  Erf: unary((x) => x.erf()),
  Exp: unary((x) => x.exp()),
  Floor: unary(floor),
  HardSwish: unary((x) => x.mul(hardSigmoid(x, 1 / 6, 0.5))),
  Identity: unary((x) => x),
  IsNaN: unary((x) => not(x.eq(x))),
  Log: unary((x) => x.log()),
  Neg: unary(negative),
  Not: unary(not),
  Reciprocal: unary((x) => scalar(1, x).div(x)),
  Relu: unary((x) => x.relu()),
  Round: unary(round),
  Sigmoid: unary((x) => x.sigmoid()),
  Sign: unary((x) => x.gt(0).to(x.dtype).sub(x.lt(0).to(x.dtype))),
  Sin: unary((x) => x.sin()),
  Sinh: unary((x) => x.exp().sub(x.neg().exp()).mul(0.5)),
  Softplus: unary((x) => x.relu().add(x.abs().neg().exp().add(1).log())), // ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)
  Softsign: unary((x) => x.div(x.abs().add(1))),
  Sqrt: unary((x) => x.sqrt()),
  Tan: unary((x) => x.sin().div(x.cos())),
  Tanh: unary((x) => x.tanh()),

  Celu: (call) => {
    const x = call.input(0);
    const alpha = call.number('alpha', 1);
    return x.relu().add(minimum(expLess1(x.div(alpha)).mul(alpha), scalar(0, x)));
  },
  Elu: (call) => elu(call.input(0), call.number('alpha', 1)),
  HardSigmoid: (call) => hardSigmoid(call.input(0), call.number('alpha', 0.2), call.number('beta', 0.5)),
  LeakyRelu: (call) => {
    const x = call.input(0);
    return where(x.lt(0), x.mul(call.number('alpha', 0.01)), x);
  },
  PRelu: (call) => {
    const x = call.input(0);
    return where(x.lt(0), x.mul(second(call, 1)), x); // before operator set 7: a slope for each channel, axis 1
  },
  Selu: (call) => {
    const alpha = call.number('alpha', 1.6732631921768188);
    return elu(call.input(0), alpha).mul(call.number('gamma', 1.0507010221481323));
  },
  Shrink: (call) => {
    const x = call.input(0);
    const [bias, lambda] = [call.number('bias', 0), call.number('lambd', 0.5)];
    return where(x.lt(-lambda), x.add(bias), where(x.gt(lambda), x.sub(bias), scalar(0, x)));
  },
  ThresholdedRelu: (call) => {
    const x = call.input(0);
    return where(x.gt(call.number('alpha', 1)), x, scalar(0, x));
  },
  Clip: clip,
  IsInf: (call) => {
    const x = call.input(0);
    const wanted = [
      call.number('detect_positive', 1) === 1 ? [Number.POSITIVE_INFINITY] : [],
      call.number('detect_negative', 1) === 1 ? [Number.NEGATIVE_INFINITY] : [],
    ].flat();
    return wanted.map((value) => x.eq(value)).reduce(or, x.lt(x));
  },

  Add: binary((a, b) => a.add(b)),
  Div: binary((a, b) => a.div(b)),
  Mul: binary((a, b) => a.mul(b)),
  Pow: binary(power),
  Sub: binary((a, b) => a.sub(b)),
  Mod: (call) => remainder(call.input(0), call.input(1), call.number('fmod', 0) === 1),
  Max: folded((a, b) => a.maximum(b)),
  Min: folded(minimum),
  Sum: folded((a, b) => a.add(b)),
  Mean: ({ inputs }) => inputs.reduce((a, b) => a.add(b)).div(inputs.length),

  Equal: binary((a, b) => a.eq(b)),
  Greater: binary((a, b) => a.gt(b)),
  GreaterOrEqual: binary((a, b) => a.ge(b)),
  Less: binary((a, b) => a.lt(b)),
  LessOrEqual: binary((a, b) => a.le(b)),
  And: binary(and),
  Or: binary(or),
  Xor: binary(xor),
  Where: (call) => where(call.input(0), call.input(1), call.input(2)),
  Cast: (call) => call.input(0).to(call.dtype('to') ?? call.input(0).dtype),
  CastLike: (call) => call.input(0).to(call.input(1).dtype),

  /** The input: nothing is dropped outside of training, or with ratio 0. The mask says what stayed. */
  Dropout: (call) => {
    const x = call.input(0);
    return [x, Tensor.ones(x.shape, { dtype: 'bool' })];
  },
};
