// The canonical form of large JSON, made piece by piece, so that others have their turn of the event loop in between.

import { setImmediate } from 'node:timers/promises';
import { encodeCanonicalJson } from './protocol/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './protocol/json.ts';

/** Characters. */
const PIECE = 64 * 1024;
/** So deep lists and objects are taken apart: `{"pdus": [{…}]}`. */
const LEVELS = 2;

/** As encodeCanonicalJson that is not strict. */
export function encodeCanonicalJsonInTurns(value: JsonValue): Promise<string> {
  return new InTurns().encode(value, LEVELS);
}

class InTurns {
  #written = 0;

  async encode(value: JsonValue, levels: number): Promise<string> {
    if (levels > 0 && Array.isArray(value)) return this.#list(value, levels - 1);
    if (levels > 0 && isJsonObject(value)) return this.#object(value, levels - 1);
    const text = encodeCanonicalJson(value, { strict: false });
    this.#written += text.length;
    if (this.#written > PIECE) {
      this.#written = 0;
      await setImmediate();
    }
    return text;
  }

  async #list(items: readonly JsonValue[], levels: number): Promise<string> {
    const parts: string[] = [];
    for (const item of items) parts.push(await this.encode(item, levels));
    return `[${parts.join()}]`;
  }

  async #object(object: JsonObject, levels: number): Promise<string> {
    const parts: string[] = [];
    for (const key of Object.keys(object).sort(inOrder)) {
      const value = object[key];
      if (value === undefined) continue;
      parts.push(
        `${encodeCanonicalJson(key, { strict: false })}:${await this.encode(value, levels)}`,
      );
    }
    return `{${parts.join()}}`;
  }
}

/** Of code points. */
function inOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
