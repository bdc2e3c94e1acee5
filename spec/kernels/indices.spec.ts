/** An index that is no row is refused by every host backend, before memory is read or written with it. */
import { describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/kernels/registry.ts';
import { denseView } from '../../src/kernels/views.ts';

for (const name of ['cpu', 'wasm', 'gpujs'] as const) {
  describe(name, () => {
    for (const bad of [-1, 3, 2 ** 30]) {
      it(`refuses row ${bad} of 3`, async () => {
        const k = await loadBackend(name);
        const x = denseView(k.upload(new Float32Array(6)), [3, 2]);
        const index = denseView(k.upload(Int32Array.of(0, bad)), [2]);
        const says = `index[1] is ${bad}, expected one of the 3 rows 0…2`;
        expect(() => k.gatherRows(x, index)).toThrow(`gatherRows: ${says}`);
        const dy = denseView(k.upload(new Float32Array(4)), [2, 2]);
        expect(() => k.scatterAddRows(dy, index, 3)).toThrow(`scatterAddRows: ${says}`);
      });
    }
  });
}
