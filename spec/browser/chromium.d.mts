export function findChromium(env?: NodeJS.ProcessEnv, platform?: NodeJS.Platform): string;
export const OFFLINE_FLAGS: readonly string[];
export const SOFTWARE_FLAGS: readonly string[];
export const GPU_FLAGS: readonly string[];
export function hasSandbox(): boolean;
