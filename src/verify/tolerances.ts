/**
 * What a result may be off by: one table, and beside each exception why. An element t of the truth allows
 *
 *   max(atol + rtol·|t|,  ulps·ulp(t),  torch·e)
 *
 * where ulp(t) is the distance of float32 numbers around t and e the largest error that PyTorch's own float32 run makes
 * in the same tensor. Terms that an entry does not name are 0.
 */
import type { FloatDType } from './samples.ts';

export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
  /** Units in the last place of float32. */
  readonly ulps?: number;
  /** How many times PyTorch's own float32 error is allowed. */
  readonly torch?: number;
}

/** The results of an integer or bool op, masks and positions. */
export const EXACT: Tolerance = {};

/**
 * torch.testing's defaults are where we start. Where nothing is known but two float32 results they stand; the rest is
 * tighter, since truths are there.
 */
export const FLOAT32_PAIR: Tolerance = { rtol: 1.3e-6, atol: 1e-5 };

/**
 * Two float64 results: torch.testing has 1e-7 and 1e-7, which would hide a number that passed through float32 (6e-8).
 * Samples are small and their numbers near 1, so both results are right to some units of 1e-16.
 */
export const FLOAT64: Tolerance = { rtol: 1e-12, atol: 1e-12 };

/**
 * A float32 result beside the float64 truth: at most twice PyTorch's own error, or two units in the last place. Below 1e-30
 * kernels may give up digits: exponentials are cut off where 2⁻¹²⁶ ends the normal numbers.
 */
export const FLOAT32: Tolerance = { torch: 2, ulps: 2, atol: 1e-30 };

/**
 * A gradient beside differences in float64: those are off by O(h⁴) + O(ε/h), about 1e-11 of values near 1, and more where
 * numbers are small beside the step.
 */
export const GRADCHECK: Tolerance = { rtol: 1e-8, atol: 1e-8 };

/**
 * A tensor of a whole model, against the truth that was stored in float32. float64: what storing rounds (6e-8 of each
 * number) with room for sums over hundreds of terms, 2e-6 of the largest. float32: errors of a chain of layers add up by
 * chance, so two good implementations differ by some factor; four times PyTorch's own is still as good.
 */
export function modelTolerance(dtype: FloatDType, truth: ArrayLike<number>): Tolerance {
  return { atol: 2e-6 * largest(truth, 1), ...(dtype === 'float32' ? { torch: 4 } : {}) };
}

/** PNG decoding and resizing are exact, so pixel values agree to the rounding of the last division. */
export const PNG_PIXELS: Tolerance = { atol: 1e-6 };

/** JPEG decoders may differ by a level of grey (0.015 of a normalised value) here and there: the mean is judged. */
export const JPEG_PIXELS: Tolerance = { atol: 0.01 };

/** Interpolated chroma of subsampled files is where libjpeg's decoders differ most. */
export const SUBSAMPLED_JPEG_PIXELS: Tolerance = { atol: 0.06 };

/**
 * A module alone on its golden input. float64: both sides add up the same numbers in another order, which is seen up to
 * 3e-14 of the largest number of the tensor; one number that passes through float32 inside makes up to 6e-8. Gradients are
 * stored in float32. float32: the golden's error is the largest of 16 runs of PyTorch around the input, so that nearly tied
 * attention takes no part in it by luck; the strict cpu is off by at most 1.2 times that, wasm and gpujs by 1.7.
 */
export function traceTolerance(dtype: FloatDType, truth: ArrayLike<number>, check: string): Tolerance {
  if (dtype === 'float32') return { torch: 3, ulps: 2 };
  return { atol: 1e-12 * largest(truth, 0), ulps: check === 'gradient' ? 1 : 0 };
}

/** A float64 run beside results that numpy computed in float32: right to some 1e-7 of what was added up. */
export const NUMPY_FLOAT32: Tolerance = { rtol: 1e-6, atol: 1e-6 };

type ByDType = Readonly<Record<FloatDType, Tolerance>>;

/**
 * Losses of a training curve, as a part of themselves. float64: measured 5e-15. float32: strict cpu 9e-7, wasm 2.5e-6, gpujs
 * 3.7e-6, PyTorch 1.4e-6; rounding errors of the first steps are carried along by all later ones. A rate that is 0.01 %
 * wrong moves the losses of the two curves by 1e-4 and 5e-5.
 */
export const CURVE_LOSS: ByDType = { float64: { rtol: 1e-12 }, float32: { rtol: 2e-5 } };

/** Norms are some ten times as sensitive: measured 6e-14; 1.5e-5 on strict cpu, 3.3e-5 on wasm, 2.6e-5 on gpujs. */
export const CURVE_NORM: ByDType = { float64: { rtol: 1e-11 }, float32: { rtol: 2e-4 } };

/**
 * Weights and moments of the optimiser. float64: measured 1.3e-14 of the number. float32: twenty steps round p, m and v once
 * each, a few units in the last place of what they were when they were largest; in a tensor of one element PyTorch's own
 * error can be small by luck, so units are allowed beside it.
 */
export const OPTIMIZER_STATE: ByDType = { float64: { rtol: 1e-12 }, float32: { torch: 4, ulps: 4 } };

/** A gradient norm is one sum over some hundred numbers: measured 4e-16 of it, and in float32 0.3 of PyTorch's error. */
export const CLIPPED_NORM: ByDType = { float64: { rtol: 1e-12 }, float32: { torch: 2, ulps: 2 } };

/** Rates are computed in double precision on every backend; engines may differ in the last bit of a cosine. */
export const LEARNING_RATE: Tolerance = { rtol: 1e-14 };

/**
 * What training has added to a weight, in float64: the stored truth is rounded to float32, which is the error measured.
 * Beside it a part of the tensor's largest update, for those that are almost 0.
 */
export function updateTolerance(truth: ArrayLike<number>): Tolerance {
  return { ulps: 1, atol: 1e-9 * largest(truth, 0) };
}

/**
 * In float32 an update is judged by its mean error, since Adam magnifies single gradients that are smaller than their own
 * rounding error: so many times PyTorch's mean error is allowed. Measured up to 1.3 × on wasm, 1.8 × on gpujs.
 */
export const UPDATE_MEAN_OF_TORCH = 3;

function largest(numbers: ArrayLike<number>, atLeast: number): number {
  let size = atLeast;
  for (let i = 0; i < numbers.length; i++) size = Math.max(size, Math.abs(numbers[i]));
  return size;
}

/** A float32 result that is allowed more, and why. */
export interface Exception {
  /** Names of backends; all unless given. */
  readonly backends?: readonly string[];
  /** The op or module. */
  readonly of: string;
  readonly check?: 'value' | 'gradient';
  /** "out", "grad.a"; all unless given. */
  readonly result?: string;
  readonly tolerance: Tolerance;
  readonly why: string;
}

/**
 * Samples are small, so a largest error is of a handful of roundings: with equally good kernels one in ten samples has twice
 * the error of the other. The means are over 200 random samples of the shape in question.
 */
export const FLOAT32_EXCEPTIONS: readonly Exception[] = [
  {
    of: 'gelu',
    check: 'value',
    backends: ['wasm'],
    tolerance: { torch: 2, ulps: 4, atol: 1e-30 },
    why: 'Mean 0.42 × PyTorch’s error. Near 0 a quotient of polynomials and an exponential cost up to 3.4 units in the last place where PyTorch has 1; on the left, where PyTorch loses all digits, they keep them.',
  },
  {
    of: 'layerNorm',
    backends: ['wasm', 'gpujs'],
    tolerance: { torch: 5, ulps: 2 },
    why: 'Mean 0.8 × PyTorch’s error on wasm, 1.1 × on gpujs; rows of four and five numbers. On rows of 515 and 1000 below it.',
  },
  {
    of: 'attention',
    check: 'gradient',
    backends: ['wasm'],
    tolerance: { torch: 3, ulps: 2 },
    why: 'Mean 0.93 × PyTorch’s error; 8 of 200 samples above twice PyTorch’s, 18 in which PyTorch is above twice ours.',
  },
  {
    of: 'pow',
    check: 'gradient',
    backends: ['gpujs'],
    tolerance: { torch: 3, ulps: 2 },
    why: 'Mean 1.4 × PyTorch’s error: aᵇ is e^(b·ln a) in float32, whose error grows with |b·ln a|; GPUs have no wider numbers.',
  },
  {
    of: 'swiglu',
    check: 'gradient',
    backends: ['gpujs'],
    tolerance: { torch: 6, ulps: 2 },
    why: 'Mean 1.1 × PyTorch’s error: the logistic function is right to two units in the last place on a GPU, and the slope has it twice.',
  },
  {
    of: 'SwiGLU',
    check: 'gradient',
    backends: ['gpujs'],
    tolerance: { torch: 3, ulps: 2 },
    why: 'As swiglu, of which it is made.',
  },
  {
    of: 'cumsum',
    tolerance: { torch: 8, ulps: 2 },
    why: 'Mean 5.3 × PyTorch’s error over rows of a thousand: PyTorch adds in double precision, here ten float32 additions are behind each element.',
  },
  {
    of: 'crossEntropy',
    check: 'gradient',
    backends: ['gpujs'],
    tolerance: { torch: 3, ulps: 2 },
    why: 'Weighted, 2.3 × PyTorch’s error in one element of twelve, where softmax − 1 cancels; all others are within twice.',
  },
];

export function float32Exception(
  backend: string,
  of: string,
  check: string,
  result: string,
): Exception | undefined {
  return FLOAT32_EXCEPTIONS.find(
    (exception) =>
      exception.of === of &&
      (exception.backends?.includes(backend) ?? true) &&
      (exception.check ?? check) === check &&
      (exception.result ?? result) === result,
  );
}
