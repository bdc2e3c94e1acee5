/** Every property on every backend, and that the search itself leaves nothing behind. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { createBackend } from '../../src/kernels/registry.ts';
import { getBackend } from '../../src/tensor/index.ts';
import { applies, PROPERTIES, settings } from './index.ts';

describe.each(settings('quick'))('$name', ({ backend: given, ...setting }) => {
  // Nobody else has memory of it.
  let backend: Backend;
  beforeAll(async () => {
    backend = typeof given === 'string' ? await createBackend(given, {}) : given;
  });

  for (const property of PROPERTIES) {
    if (!applies(property, { ...setting, backend: given })) continue;
    it(property.name, async () => {
      const [used, memory] = [getBackend(), backend.memory()];
      await property.holds({ ...setting, backend });
      expect(getBackend()).toBe(used);
      expect(backend.memory()).toEqual(memory);
    });
  }
});

describe('the list', () => {
  it('has no name twice', () => {
    const names = PROPERTIES.map(({ name }) => name);
    expect([...new Set(names)]).toEqual(names);
  });

  it('leaves no property without a setting, and says why where it leaves out one', () => {
    for (const property of PROPERTIES) {
      expect(settings('quick').filter((setting) => applies(property, setting)).length).toBeGreaterThan(0);
      if (property.restriction !== undefined) expect(property.restriction.reason).toMatch(/\w+ \w+/);
    }
  });
});
