/**
 * Which module's forward is running, for messages, taps and the tape. A frame knows the module and the frame around it;
 * its path is worked out when somebody asks, so that a module has the name of the field it is in now.
 */

/** Whatever has named parts: a module. */
export interface Named {
  /** Name of a direct part, undefined where it is none. */
  nameOf(part: Named): string | undefined;
}

export interface ModuleFrame {
  readonly module: Named | string;
  /** Its path where it runs alone, without what it is a part of. */
  readonly path: string | undefined;
  readonly around: ModuleFrame | null;
}

let current: ModuleFrame | null = null;

/** The frame that runs; null outside of any module. */
export function currentFrame(): ModuleFrame | null {
  return current;
}

/** "model.layers.3.self_attn", or '' for none. A module that no module around it has as a part adds no segment. */
export function pathOf(frame: ModuleFrame | null): string {
  const segments: string[] = [];
  for (let at = frame; at !== null; at = at.around) segments.unshift(segment(at));
  return segments.filter((name) => name !== '').join('.');
}

function segment({ module, path, around }: ModuleFrame): string {
  if (path !== undefined) return path;
  if (typeof module === 'string') return module;
  for (let at = around; at !== null; at = at.around) {
    const name = typeof at.module === 'string' ? undefined : at.module.nameOf(module);
    if (name !== undefined) return name;
  }
  return '';
}

/** "model.layers.3.self_attn", or '' outside of any module. */
export function currentModulePath(): string {
  return pathOf(current);
}

/** Runs `fn` as part of a module, or of what a path stands for; `path` names a module that runs alone. */
export function insideModule<R>(module: Named | string, fn: () => R, path?: string): R {
  const around = current;
  current = { module, path, around };
  try {
    return fn();
  } finally {
    current = around;
  }
}
