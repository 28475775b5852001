// The canonical form of large JSON as UTF-8, made piece by piece, so that others have their turn of the event loop in between, and a
// large text never has to be copied as a whole.

import { giveWay } from './give-way.ts';
import { encodeCanonicalJson } from './protocol/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './protocol/json.ts';

/** Characters. */
const PIECE = 64 * 1024;
/** So deep lists and objects are taken apart: `{"pdus": [{…}]}`. */
const LEVELS = 2;

/** As encodeCanonicalJson that is not strict; in pieces. */
export async function encodeCanonicalJsonInTurns(value: JsonValue): Promise<readonly Buffer[]> {
  const pieces = new Pieces();
  await pieces.write(value, LEVELS);
  return pieces.end();
}

class Pieces {
  readonly #pieces: Buffer[] = [];
  #texts: string[] = [];
  #held = 0;

  async write(value: JsonValue, levels: number): Promise<void> {
    if (levels > 0 && Array.isArray(value)) await this.#list(value, levels - 1);
    else if (levels > 0 && isJsonObject(value)) await this.#object(value, levels - 1);
    else this.#add(encodeCanonicalJson(value, { strict: false }));
    if (this.#held < PIECE) return;
    this.#cut();
    await giveWay();
  }

  end(): readonly Buffer[] {
    this.#cut();
    return this.#pieces;
  }

  async #list(items: readonly JsonValue[], levels: number): Promise<void> {
    this.#add('[');
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#add(',');
      await this.write(item, levels);
    }
    this.#add(']');
  }

  async #object(object: JsonObject, levels: number): Promise<void> {
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    this.#add('{');
    for (const [index, key] of keys.sort(inOrder).entries()) {
      if (index > 0) this.#add(',');
      this.#add(`${encodeCanonicalJson(key, { strict: false })}:`);
      await this.write(object[key] as JsonValue, levels);
    }
    this.#add('}');
  }

  #add(text: string): void {
    this.#texts.push(text);
    this.#held += text.length;
  }

  #cut(): void {
    this.#pieces.push(Buffer.from(this.#texts.join('')));
    this.#texts = [];
    this.#held = 0;
  }
}

/** Of code points. */
function inOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
