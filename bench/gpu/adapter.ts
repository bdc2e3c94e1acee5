/** What WebGPU says of the machine's GPU, in Node and in browsers. */

export interface AdapterReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** Node: the driver and its version. */
  readonly description: string;
  /** A program that computes on the processor, such as SwiftShader or llvmpipe. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

interface Adapter {
  readonly info: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>> & {
    readonly isFallbackAdapter?: boolean;
  };
  readonly features: Iterable<string>;
  readonly limits: Readonly<Record<string, number>>;
}

interface WithGpu {
  readonly gpu?: { requestAdapter(): Promise<Adapter | null> };
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Of the adapter that GPU.js gets; null where there is none. */
export async function adapterReport(): Promise<AdapterReport | null> {
  const adapter = await (navigator as unknown as WithGpu).gpu?.requestAdapter();
  if (!adapter) return null;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const { limits: given } = adapter;
  const limits: Record<string, number> = {};
  // Limits are getters of a prototype, which only `in` sees.
  for (const name in given) if (typeof given[name] === 'number') limits[name] = given[name];
  const software =
    isFallbackAdapter === true || SOFTWARE.test([vendor, architecture, device, description].join(' '));
  return {
    vendor,
    architecture,
    device,
    description,
    software,
    features: [...adapter.features].sort(),
    limits,
  };
}

/** In one line. */
export function adapterLine({ vendor, architecture, device, description, software }: AdapterReport): string {
  const said = [vendor, architecture, device, description].filter(Boolean).join(' · ');
  return `${said || 'an adapter that says nothing of itself'}${software ? ' (software)' : ''}`;
}

/** Limits that bound what the library can do. */
export const TOLD_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;
