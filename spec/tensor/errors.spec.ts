/** What mistakes say: the op, the argument, both shapes, the axis, a hint, and the module they happened in. */
import { afterEach, describe, expect, it } from 'vitest';
import { Embedding, LayerNorm, Linear, Module } from '../../src/nn/index.ts';
import { checkFinite, DTypeError, insideModule, ShapeError, Tensor } from '../../src/tensor/index.ts';
import { currentModulePath } from '../../src/tensor/modulePath.ts';
import { randomModel, randomPixels, tinyConfig } from '../support/models.ts';

function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const messageOf = (fn: () => unknown) => (thrownBy(fn) as Error).message;

describe('messages', () => {
  const [a, b] = [Tensor.zeros([2, 3, 4]), Tensor.zeros([5, 4])];

  it('matmul: op, argument, both shapes, axis, hint', () => {
    expect(messageOf(() => a.matmul(b))).toBe(
      'matmul(a, b): b: inner sizes differ, a has 4 columns (axis -1) and b has 5 rows (axis -2): ' +
        'a is float32[2,3,4], b is float32[5,4]. Hint: did you mean b.transpose()?',
    );
  });

  it('broadcast: the axis that differs, counted from the right', () => {
    expect(messageOf(() => a.add(Tensor.zeros([2, 1, 4])).add(Tensor.zeros([7, 1])))).toBe(
      'add(a, b): b: shapes do not broadcast (axis -2): a is float32[2,3,4], b is float32[7,1]. ' +
        'Hint: aligned at the right, sizes must be equal or 1.',
    );
  });

  it('dtypes: the odd one out, and what to do', () => {
    expect(messageOf(() => a.mul(Tensor.arange(4)))).toBe(
      'mul(a, b): b: dtypes differ (b is not float32): a is float32[2,3,4], b is int32[4]. ' +
        "Hint: nothing is converted silently; cast with .to('float32').",
    );
  });

  it('fields say the same as the text', () => {
    const error = thrownBy(() => a.matmul(b));
    expect(error).toBeInstanceOf(ShapeError);
    const { op, argument, axis, hint, got, modulePath, name } = error as ShapeError;
    expect({ op, argument, axis, hint, modulePath, name }).toEqual({
      op: 'matmul',
      argument: 'b',
      axis: -2,
      hint: 'did you mean b.transpose()?',
      modulePath: '',
      name: 'ShapeError',
    });
    expect(got).toEqual({
      a: { dtype: 'float32', shape: [2, 3, 4] },
      b: { dtype: 'float32', shape: [5, 4] },
    });
    expect(thrownBy(() => a.mul(Tensor.arange(4)))).toBeInstanceOf(DTypeError);
  });

  it('ids: which one, where, and how many rows there are', () => {
    const table = new Embedding({ numEmbeddings: 5, embeddingDim: 2 });
    expect(
      messageOf(() =>
        table.call([
          [0, 4],
          [1, 5],
        ]),
      ),
    ).toBe(
      'Embedding(weight): ids: id 5 at [1][1] is not one of the 5 rows of the table: weight is float32[5,2].',
    );
    expect(messageOf(() => table.call([[0, 4], [1]]))).toContain('row 1 has 1 ids, row 0 has 2');
    expect(messageOf(() => table.call([]))).toContain('Embedding(weight): ids: needs at least one row');
  });
});

describe('the module path', () => {
  it('is put together while modules run, and gone afterwards, also after an error', () => {
    const paths: string[] = [];
    insideModule('model', () => insideModule('layers.3', () => paths.push(currentModulePath())));
    expect(() => insideModule('broken', () => Tensor.zeros([2]).transpose())).toThrow('In broken.');
    expect([...paths, currentModulePath()]).toEqual(['model.layers.3', '']);
  });

  const config = tinyConfig({ layers: 3 });

  it('pictures of a wrong size are refused in model.vision', () => {
    const model = randomModel(config, 1);
    const pixels = Tensor.zeros([1, 3, 5, 4], { dtype: 'float64' });
    const call = () => model.call({ ids: [[1, 0, 0, 0, 0, 0, 0]], types: [[0, 1, 1, 1, 1, 1, 1]], pixels });
    expect(messageOf(call)).toBe(
      'VisionModel(pixels): pixels: needs shape [B,C,side,side] with C = 3, side = 4 (axis 2): pixels is float64[1,3,5,4]. ' +
        'Hint: resize the pictures to the image_size of the config. In model.vision.',
    );
  });

  it('places and pictures that do not agree: both numbers, and where they come from', () => {
    const model = randomModel(config, 1);
    const input = { ids: [[1, 0, 0]], types: [[0, 1, 1]] };
    expect(messageOf(() => model.call({ ...input, pixels: randomPixels(config, 1, 1) }))).toContain(
      'types: 2 places have type 1, but 1 pictures of 6 tokens (boi, 4 patches, eoi) fill 6: features is float64[1,6,8]. In model.',
    );
    expect(messageOf(() => model.call(input))).toContain('pixels: places have type 1, but no picture came');
  });

  it('rows that do not fit the ids are named', () => {
    const model = randomModel(config, 1);
    expect(messageOf(() => model.call({ ids: [[1, 2]], types: [[0]] }))).toBe(
      'CogVLM(): types: row 0 has 1 entries, expected 2. In model.',
    );
    expect(
      messageOf(() =>
        model.call({
          ids: [[1, 2]],
          attentionMask: [
            [1, 1],
            [1, 1],
          ],
        }),
      ),
    ).toContain('attentionMask: 2 rows for 1 rows of ids');
    expect(messageOf(() => model.call({ ids: [] }))).toContain('ids: needs at least one row');
  });

  it('a wrong width deep inside is found in model.layers.1', () => {
    const model = randomModel(config, 1);
    const broken = new Linear({ inFeatures: 7, outFeatures: 8, bias: false, dtype: 'float64' });
    Object.assign(model.model.layers[1].mlp.language_mlp, { down_proj: broken });
    const error = thrownBy(() => model.call({ ids: [[1, 2, 3]] })) as ShapeError;
    expect(error.modulePath).toBe('model.layers.1.mlp.language_mlp.down_proj');
    expect(error.message).toMatch(
      /^Linear\(x\): x: needs shape .* In model\.layers\.1\.mlp\.language_mlp\.down_proj\.$/,
    );
    expect(currentModulePath()).toBe('');
  });
});

class Chain extends Module<[x: Tensor], Tensor> {
  readonly first = new LayerNorm({ width: 2, eps: 1e-5, dtype: 'float64' });
  readonly root = new Root();

  forward(x: Tensor): Tensor {
    return this.root.call(this.first.call(x)).mul(2);
  }
}

class Root extends Module<[x: Tensor], Tensor> {
  forward(x: Tensor): Tensor {
    return x.sqrt();
  }
}

describe('finite check', () => {
  afterEach(() => checkFinite(false));
  const input = (values: number[]) => Tensor.from([values], { dtype: 'float64', requiresGrad: true });

  it('is off unless it is asked for', () => {
    expect(new Chain().call(input([1, 2])).data[0]).toBeNaN();
  });

  it('names op, module and element of the first NaN, though later ops have it too', () => {
    checkFinite(true);
    expect(messageOf(() => new Chain().call(input([1, 2])))).toBe(
      'sqrt gave NaN at element 0 of [1,2] in root',
    );
    expect(messageOf(() => input([1, 0]).log())).toBe('log gave -Infinity at element 1 of [1,2]');
  });

  it('lets integers, and everything finite, through', () => {
    checkFinite(true);
    const x = input([4, 9]);
    x.sqrt().sum().add(Tensor.arange(3).sum().to('float64')).backward();
    expect(Array.from(x.grad?.data ?? [])).toEqual([1 / 4, 1 / 6]);
  });

  it('names the op whose gradient is the first that is not finite, and its module', () => {
    checkFinite(true);
    const x = input([0, 4]);
    const root = new Root();
    const y = insideModule('model.layers.1', () => root.call(x));
    expect(messageOf(() => y.exp().sum().backward())).toBe(
      'the gradient by x of sqrt in model.layers.1 gave Infinity at element 0 of [1,2]',
    );
    expect(x.grad).toBeNull();
  });

  it('finds a seed that is not finite where it enters', () => {
    checkFinite(true);
    const seed = Tensor.full([1, 2], Number.NaN, { dtype: 'float64' });
    expect(messageOf(() => input([1, 2]).exp().backward(seed))).toContain(
      'the gradient that reached exp gave NaN at element 0',
    );
  });
});
