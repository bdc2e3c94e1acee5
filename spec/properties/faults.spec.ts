/** Every property can fail: it is found broken on a backend with a fault. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { loadBackend } from '../../src/kernels/registry.ts';
import { getBackend } from '../../src/tensor/index.ts';
import { type Spoil, withFault } from '../support/plantedFault.ts';
import { applies, PROPERTIES, type Property, type Setting, settings } from './index.ts';

interface Fault {
  /** Words of the property's name. */
  readonly breaks: string;
  readonly what: string;
  readonly plant: (backend: Backend) => Backend;
  /** What the property says then. */
  readonly found: RegExp;
}

const scaled =
  (factor: number): Spoil =>
  (numbers) => {
    for (let i = 0; i < numbers.length; i++) numbers[i] *= factor;
  };

const onlyWhere =
  (holds: (shape: readonly number[]) => boolean, spoil: Spoil): Spoil =>
  (numbers, shape) => {
    if (holds(shape)) spoil(numbers, shape);
  };

const isBatch = ([B]: readonly number[]) => B > 1;

/** Attention that treats batches a little differently. */
const batchesDiffer = (backend: Backend) =>
  withFault(backend, 'attention', onlyWhere(isBatch, scaled(1 + 1e-4)), 'y');

/** Attention whose first query sees the last one. */
const looksAhead = (backend: Backend) => {
  const leak: Spoil = (numbers) => {
    if (numbers.length > 0) numbers[0] += 1e-5 * numbers[numbers.length - 1];
  };
  return withFault(backend, 'attention', leak, 'y');
};

/** A norm with a rest of what was last written into a tensor. */
function remembers(backend: Backend): Backend {
  let last = 0;
  const remembering: Backend = {
    ...backend,
    assign(dst, src) {
      backend.assign(dst, src);
      [last] = backend.readSync(src);
    },
  };
  const rest: Spoil = (numbers) => {
    numbers[0] += 1e-5 * last;
  };
  return withFault(remembering, 'rmsNorm', rest, 'y');
}

const FAULTS: readonly Fault[] = [
  {
    breaks: 'generation with the cache',
    what: 'single tokens are turned a little too far',
    plant: (backend) =>
      withFault(
        backend,
        'rotary',
        onlyWhere(([, , T]) => T === 1, scaled(1 + 1e-3)),
      ),
    found: /step \d of row \d, element/,
  },
  {
    breaks: 'a batch generates',
    what: 'attention of a batch is off',
    plant: batchesDiffer,
    found: /step \d of row \d, element/,
  },
  {
    breaks: 'padded on the left',
    what: 'attention of a batch is off',
    plant: batchesDiffer,
    found: /row \d, element/,
  },
  {
    breaks: 'padded on the right',
    what: 'attention of a batch is off',
    plant: batchesDiffer,
    found: /row \d, element/,
  },
  {
    breaks: 'permuting the rows',
    what: 'the first row of a batch is off in its last bits',
    plant: (backend) => {
      const first: Spoil = (numbers, [B]) => scaled(1 + 1e-6)(numbers.subarray(0, numbers.length / B), []);
      return withFault(backend, 'attention', onlyWhere(isBatch, first), 'y');
    },
    found: /row \d, now at \d, element/,
  },
  {
    breaks: 'a later token',
    what: 'a query sees a later one',
    plant: looksAhead,
    found: /logits before token \d/,
  },
  {
    breaks: 'a later token',
    what: 'every token is read as the same',
    plant: (backend) => withFault(backend, 'gatherRows', scaled(0)),
    found: /the logits at token \d are the same/,
  },
  {
    breaks: 'a later picture',
    what: 'a query sees a later one',
    plant: looksAhead,
    found: /logits before the second picture/,
  },
  {
    breaks: 'LLaMA in plain loops',
    what: 'SwiGLU is off',
    plant: (backend) => withFault(backend, 'swiglu', scaled(1 + 1e-4)),
    found: /logits, element/,
  },
  {
    breaks: 'no vision weight',
    what: 'a kernel reads what was last written elsewhere',
    plant: remembers,
    found: /logits, element/,
  },
  {
    breaks: 'with experts equal',
    what: 'rows change places where image and text come together',
    plant: (backend) => {
      const exchange: Spoil = (numbers, [rows, width]) => {
        const last = numbers.slice((rows - 1) * width);
        numbers.copyWithin((rows - 1) * width, (rows - 2) * width, (rows - 1) * width);
        numbers.set(last, (rows - 2) * width);
      };
      const isMixed = (shape: readonly number[]) => shape.length === 2 && shape[0] > 1;
      return withFault(backend, 'concat', onlyWhere(isMixed, exchange));
    },
    found: /logits, element/,
  },
  {
    breaks: 'logits, loss and every gradient',
    what: "SwiGLU's gradient is off",
    plant: (backend) => withFault(backend, 'swigluBackward', scaled(1 + 1e-4), 'dgate'),
    found: /gradient of .*, element/,
  },
  {
    breaks: 'from then on: F32',
    what: 'a tensor does not take what is written to it, to the last bit',
    plant: (backend) => withFault(backend, 'assign', scaled(1 + 2 ** -22)),
    found: /bytes, element/,
  },
  {
    breaks: 'from then on: BF16',
    what: 'a tensor does not take what is written to it, to the last bit of bf16',
    plant: (backend) => withFault(backend, 'assign', scaled(1 + 2 ** -7)),
    found: /bytes, element/,
  },
  {
    breaks: 'stopped and resumed',
    what: 'a tensor does not take what is written to it, to the last bit',
    plant: (backend) => withFault(backend, 'assign', scaled(1 + 2 ** -22)),
    found: /losses|weight|bias|\.[mv]/,
  },
  {
    breaks: 'gradients reach',
    what: 'LayerNorm forgets the gradient of its weight',
    plant: (backend) => withFault(backend, 'layerNormBackward', scaled(0), 'dweight'),
    found: /the gradient of .*norm.*weight is zero/,
  },
  {
    breaks: "sum of its rows' gradients",
    what: "attention's gradient of a batch is off",
    plant: (backend) => withFault(backend, 'attentionBackward', onlyWhere(isBatch, scaled(1 + 1e-4)), 'dv'),
    found: /gradient of .*, element/,
  },
  {
    breaks: 'the derivative of the loss',
    what: "RMSNorm's gradient is off",
    plant: (backend) => withFault(backend, 'rmsNormBackward', scaled(1 + 1e-5), 'dx'),
    found: /derivative, element/,
  },
];

/** Where a property is looked at on one of the backends; in float32 if it is at all. */
function settingOf(property: Property, names: readonly string[]): Setting {
  const places = settings('quick').filter(
    (setting) => names.includes(setting.place) && applies(property, setting),
  );
  const found = places.find(({ dtype }) => dtype === 'float32') ?? places[0];
  if (found === undefined) throw new Error(`${property.name}: not looked at on ${names}`);
  return found;
}

describe.each([
  { kernels: 'cpu', names: ['cpu, strict', 'cpu'] },
  { kernels: 'wasm', names: ['wasm'] },
] as const)('$kernels', ({ names }) => {
  it.each(FAULTS.map((fault) => [fault.breaks, fault.what, fault] as const))(
    '"%s" is found broken where %s',
    async (breaks, _, { plant, found }) => {
      const [property, ...more] = PROPERTIES.filter((candidate) => candidate.name.includes(breaks));
      expect(more).toEqual([]);
      const setting = settingOf(property, names);
      const used = getBackend();
      const plain =
        typeof setting.backend === 'string' ? await loadBackend(setting.backend) : setting.backend;
      const backend = plant(plain);
      const error = await property.holds({ ...setting, backend }).then(
        () => new Error('holds all the same'),
        (thrown: Error) => thrown,
      );
      expect(error.message).toMatch(/^Property failed after \d+ tests?\n.*\nCounterexample: \[\{"sizes":/);
      expect((error.cause as Error).message).toMatch(found);
      expect(getBackend()).toBe(used);
    },
  );
});

it('every property has a fault', () => {
  const without = PROPERTIES.filter(({ name }) => !FAULTS.some(({ breaks }) => name.includes(breaks)));
  expect(without.map(({ name }) => name)).toEqual([]);
});
