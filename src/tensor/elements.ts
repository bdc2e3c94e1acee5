/** What a tensor is before anything is computed with it: a view of a backend's buffer, to be looked at. */
import ndarray, { type NdArray } from 'ndarray';
import {
  type Backend,
  type DType,
  denseStrides,
  type HostArray,
  sizeOf,
  type View,
} from '../kernels/index.ts';
import { formatType, ShapeError } from './errors.ts';
import { formatNumbers } from './print.ts';

/** Numbers with a shape and a dtype on a backend. */
export abstract class Elements {
  readonly backend: Backend;
  readonly view: View;
  abstract readonly requiresGrad: boolean;

  constructor(backend: Backend, view: View) {
    this.backend = backend;
    this.view = view;
  }

  get shape(): readonly number[] {
    return this.view.shape;
  }

  get dtype(): DType {
    return this.view.buffer.dtype;
  }

  get rank(): number {
    return this.view.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.view.shape);
  }

  /** The elements in row-major order, copied now. Throws on a device that cannot wait: use `await read()` there. */
  get data(): HostArray {
    return this.backend.readSync(this.view);
  }

  /** The elements in row-major order, on any backend. */
  read(): Promise<HostArray> {
    return this.backend.read(this.view);
  }

  /** The only element. @throws ShapeError where there are more or fewer */
  item(): number {
    if (this.size === 1) return this.data[0];
    throw new ShapeError({ op: 'item', argument: 'x', got: { x: this }, rule: 'needs exactly one element' });
  }

  /** A copy as an ndarray, for the packages that speak it. */
  toNdarray(): NdArray {
    return ndarray(this.data, [...this.shape], denseStrides(this.shape), 0);
  }

  /**
   * Dtype, shape, backend, and the numbers as NumPy prints them. Printing never waits: of a device that answers later, and
   * of memory that was released, it says so instead.
   */
  toString(): string {
    const type = `Tensor ${formatType(this)} on ${this.backend.name}${this.requiresGrad ? ', requires grad' : ''}`;
    try {
      return `${type}${this.rank > 1 ? '\n' : ' '}${formatNumbers(this.backend, this.view)}`;
    } catch (error) {
      return `${type} (${(error as Error).message})`;
    }
  }

  /** What `console.log` shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
