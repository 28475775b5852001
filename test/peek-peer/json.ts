// Canonical JSON and base64 (Appendices), written for the peer alone: it is to agree with the server by the specification,
// not by sharing code with it.

import { createHash } from 'node:crypto';

// biome-ignore lint/suspicious/noExplicitAny: JSON of every shape
export type Json = any;

/** Keys in order of code points, no white space; numbers are whole. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Error(`number ${value}`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

export function without(object: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

export function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
