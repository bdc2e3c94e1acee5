export function packages(id: string): boolean;
export function bundle(
  input: Readonly<Record<string, string>>,
  dir: string,
  options?: {
    readonly platform?: 'node' | 'browser';
    readonly external?: (id: string) => boolean;
  },
): Promise<void>;
