/** Every property on every backend, and that the search itself leaves nothing behind. */
import { describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/kernels/registry.ts';
import { getBackend } from '../../src/tensor/index.ts';
import { applies, PROPERTIES, settings } from './index.ts';

describe.each(settings('quick'))('$name', (setting) => {
  for (const property of PROPERTIES) {
    if (!applies(property, setting)) continue;
    it(property.name, async () => {
      const { backend: name } = setting;
      const backend = typeof name === 'string' ? await loadBackend(name) : name;
      const [used, memory] = [getBackend(), backend.memory()];
      await property.holds(setting);
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
