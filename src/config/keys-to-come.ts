// Keys of features that are not built yet are accepted, and named in one warning.

import { configSchema } from './schema.ts';

interface SchemaNode {
  readonly notBuilt?: boolean;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** `data`: as given, before defaults. No or one line. */
export function keysToCome(data: unknown): readonly string[] {
  const keys = keysBelow(data, configSchema as SchemaNode, '');
  return keys.length === 0 ? [] : [`not built yet and without effect: ${keys.join(', ')}`];
}

function keysBelow(data: unknown, schema: SchemaNode, prefix: string): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, value]) => {
    const below = schema.properties?.[key];
    if (below === undefined || isOff(value)) return [];
    return below.notBuilt === true ? [prefix + key] : keysBelow(value, below, `${prefix}${key}.`);
  });
}

/** What asks for nothing needs no warning. */
function isOff(value: unknown): boolean {
  if (value === false || (Array.isArray(value) && value.length === 0)) return true;
  return (
    typeof value === 'object' && value !== null && 'enabled' in value && value.enabled === false
  );
}
