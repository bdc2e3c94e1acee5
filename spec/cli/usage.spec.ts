import { describe, expect, it } from 'vitest';
import { getBackend } from '../../src/tensor/index.ts';
import { cli, GOLDENS } from './support.ts';

const COMMANDS = ['caption', 'ask', 'info', 'verify', 'demo'];

describe('cogvlm', () => {
  it('lists its commands', async () => {
    const { status, out } = await cli('--help');
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(out).toContain(`  ${command} `);
  });

  it('tells its version', async () => {
    const { status, out } = await cli('--version');
    expect(status).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  for (const command of COMMANDS) {
    it(`${command} has help`, async () => {
      const { status, out } = await cli(command, '--help');
      expect(status).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: cogvlm ${command} `));
    });

    it(`${command} refuses unknown options with status 2`, async () => {
      const { status, out, err } = await cli(command, '--sharpen', 'x', 'y');
      expect(status).toBe(2);
      expect(out).toBe('');
      expect(err).toContain("unknown option '--sharpen'");
    });
  }

  it('is a wrong command line with status 2', async () => {
    for (const argv of [
      [],
      ['paint'],
      ['caption'],
      ['ask', 'x.png'],
      ['info'],
      ['verify', '--backend', 'abacus', GOLDENS],
      ['verify', '--dtype', 'float8', GOLDENS],
      ['verify', '--backend', 'wasm', '--simd', 'wide', GOLDENS],
      ['verify', '--backend', 'wasm', '--threads', '0', GOLDENS],
      ['verify', '--backend', 'cpu', '--simd', 'plain', GOLDENS],
      ['caption', '--backend', 'gpujs', '--threads', '2', 'x.png'],
      ['caption', '--max-new-tokens', '0', 'x.png'],
      ['caption', '--max-new-tokens', 'many', 'x.png'],
      ['ask', '--template', 'haiku', 'x.png', 'why?'],
    ]) {
      const { status, out, err } = await cli(...argv);
      expect(status, argv.join(' ')).toBe(2);
      expect(out).toBe('');
      expect(err).not.toBe('');
    }
  });

  it('leaves the backend as it was', async () => {
    const before = getBackend();
    await cli('caption', '--backend', 'cpu', '--strict', '--model', 'nowhere', 'x.png');
    expect(getBackend()).toBe(before);
  });
});
