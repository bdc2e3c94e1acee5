import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startProgress } from '../../src/cli/progress.ts';

describe('startProgress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const terminal = () => Object.assign(new PassThrough(), { isTTY: true });

  function counting(barStream?: PassThrough) {
    const lines: string[] = [];
    const err = (text: string) => void lines.push(text);
    const io = { out: err, err, color: false, trueColor: false, ...(barStream ? { barStream } : {}) };
    const progress = startProgress(io, 'loading', 'tensors');
    for (let done = 1; done <= 120; done++) {
      vi.advanceTimersByTime(100);
      progress.update(done, 120);
    }
    progress.stop();
    return lines;
  }

  it('writes a line after a second and then every five, where there is no terminal', () => {
    expect(counting()).toEqual([10, 60, 110].map((n) => `loading: ${n} of 120 tensors\n`));
  });

  it('draws a bar on a terminal, and nothing for short work', () => {
    const stream = terminal();
    expect(counting(stream)).toEqual([]);
    expect(String(stream.read())).toContain('loading █');

    const quiet = terminal();
    const io = { out: () => {}, err: () => {}, color: false, trueColor: false, barStream: quiet };
    const progress = startProgress(io, 'loading', 'tensors');
    progress.update(1, 2);
    progress.stop();
    expect(quiet.read()).toBeNull();
  });
});
