// JSON as data. Numbers that a double cannot carry exactly (room versions 1 to 5 allow floats and
// integers beyond 2^53) are kept as `JSON.rawJSON` objects, which JSON.stringify writes unchanged.

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
