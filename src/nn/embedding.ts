/** A table of vectors looked up by id. */
import { ShapeError, Tensor } from '../tensor/index.ts';
import { normal, type WeightOptions } from './init.ts';
import { Module, type Parameter } from './module.ts';

export interface EmbeddingConfig extends WeightOptions {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
}

/** Rows of a table by their ids: ids [B, T] → [B, T, D]. */
export class Embedding extends Module<[ids: readonly (readonly number[])[]], Tensor> {
  readonly weight: Parameter;

  constructor(config: EmbeddingConfig) {
    super();
    this.weight = normal([config.numEmbeddings, config.embeddingDim], 1, config);
  }

  /**
   * @shape ids [B, T] → [B, T, D]
   * @throws ShapeError for an id outside of the table, no rows, or rows of different lengths
   */
  forward(ids: readonly (readonly number[])[]): Tensor {
    const [rows, width] = this.weight.shape;
    const got = { weight: this.weight };
    if (ids.length === 0) {
      throw new ShapeError({ op: 'Embedding', argument: 'ids', got, rule: 'needs at least one row' });
    }
    const length = ids[0].length;
    for (const [b, row] of ids.entries()) {
      const bad =
        row.length !== length ? -1 : row.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= rows);
      if (row.length === length && bad < 0) continue;
      const rule =
        row.length !== length
          ? `row ${b} has ${row.length} ids, row 0 has ${length}`
          : `id ${row[bad]} at [${b}][${bad}] is not one of the ${rows} rows of the table`;
      throw new ShapeError({ op: 'Embedding', argument: 'ids', got, rule });
    }
    const index = Tensor.fromArray(ids.flat(), [ids.length * length], { dtype: 'int32' });
    return this.weight.gatherRows(index).reshape(ids.length, length, width);
  }
}
