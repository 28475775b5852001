// Parses large JSON of strangers piece by piece, so that others have their turn of the event loop in between.

import { setImmediate } from 'node:timers/promises';
import { MatrixError } from './protocol/error.ts';
import { type JsonObject, type JsonValue, parseJsonExactly } from './protocol/json.ts';
import {
  checkJsonMeasures,
  endOfString,
  measureJson,
  parseForeignJson,
} from './protocol/json-checks.ts';

/** Characters: what is parsed in one turn, if it is not one value. */
const PIECE = 256 * 1024;
/** So deep lists and objects are taken apart: `[200, {"state": [...]}]`. */
const LEVELS = 4;
/** Characters: what is looked through in one turn. */
const PAUSE = 1024 * 1024;

const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BLANK = ' \t\n\r';
const BRACKETS: ReadonlyMap<string, string> = new Map([
  ['[', ']'],
  ['{', '}'],
]);

type Member = [string, JsonValue | undefined];

interface Span {
  readonly from: number;
  readonly to: number;
}

/** As parseForeignJson: throws M_NOT_JSON or M_BAD_JSON. */
export async function parseForeignJsonInTurns(text: string, size = PIECE): Promise<JsonValue> {
  if (text.length <= size) return parseForeignJson(text);
  await checkBounds(text);
  try {
    return await new InTurns(text, size).parse({ from: 0, to: text.length }, LEVELS);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MatrixError('M_NOT_JSON', 'Content is not JSON');
  }
}

async function checkBounds(text: string): Promise<void> {
  const scan = measureJson(text);
  for (let step = scan.next(); ; step = scan.next()) {
    if (step.done === true) return checkJsonMeasures(step.value, text.length);
    await setImmediate();
  }
}

class InTurns {
  readonly #text: string;
  readonly #size: number;

  constructor(text: string, size: number) {
    this.#text = text;
    this.#size = size;
  }

  /** Throws SyntaxError. */
  async parse(span: Span, levels: number): Promise<JsonValue> {
    const whole = this.#trimmed(span);
    const open = this.#text.charAt(whole.from);
    const close = BRACKETS.get(open);
    if (close === undefined || levels === 0 || !this.#isLarge(whole)) {
      return parseJsonExactly(this.#slice(whole));
    }
    if (this.#text.charAt(whole.to - 1) !== close) throw new SyntaxError('an end is missing');
    const inner = this.#trimmed({ from: whole.from + 1, to: whole.to - 1 });
    if (inner.from === inner.to) return open === '[' ? [] : {};
    if (open === '[') return this.#list(inner, levels - 1);
    return Object.fromEntries(await this.#members(inner, levels - 1));
  }

  async #list(inner: Span, levels: number): Promise<JsonValue[]> {
    const list: JsonValue[] = [];
    for (const span of await this.#pieces(inner)) {
      const part = this.#isLarge(span)
        ? [await this.parse(span, levels)]
        : (parseJsonExactly(`[${this.#slice(span)}]`) as JsonValue[]);
      for (const item of part) list.push(item);
      await setImmediate();
    }
    return list;
  }

  async #members(inner: Span, levels: number): Promise<Member[]> {
    const members: Member[] = [];
    for (const span of await this.#pieces(inner)) {
      const part = this.#isLarge(span)
        ? [await this.#member(span, levels)]
        : Object.entries(parseJsonExactly(`{${this.#slice(span)}}`) as JsonObject);
      for (const member of part) members.push(member);
      await setImmediate();
    }
    return members;
  }

  async #member(span: Span, levels: number): Promise<Member> {
    const { from, to } = this.#trimmed(span);
    const colon = this.#text.indexOf(':', endOfString(this.#text, from));
    if (this.#text.charCodeAt(from) !== QUOTE || colon === -1 || colon >= to) {
      throw new SyntaxError('a key is missing');
    }
    const [key = ''] = Object.keys(
      parseJsonExactly(`{${this.#text.slice(from, colon)}:0}`) as object,
    );
    return [key, await this.parse({ from: colon + 1, to }, levels)];
  }

  /** What stands between the commas of a list or an object, as much together as makes a piece. */
  async #pieces(inner: Span): Promise<Span[]> {
    const text = this.#text;
    const found: Span[] = [];
    let start = inner.from;
    let end: number | undefined;
    for await (const comma of this.#commas(inner)) {
      const last = end === undefined ? start : end + 1;
      // With a comma at its edge, a gap would vanish between two pieces.
      if (text.slice(last, comma).trim() === '') throw new SyntaxError('a value is missing');
      if (end !== undefined && comma - start > this.#size) {
        found.push({ from: start, to: end });
        start = last;
      }
      end = comma;
    }
    found.push({ from: start, to: inner.to });
    return found;
  }

  /** Where an item ends: at the commas that are in no other bracket, and at the end. */
  async *#commas({ from, to }: Span): AsyncGenerator<number> {
    const text = this.#text;
    let pauseAt = from + PAUSE;
    let depth = 0;
    for (let i = from; i < to; i++) {
      const char = text.charCodeAt(i);
      if (char === QUOTE) i = endOfString(text, i);
      else if (char === COMMA && depth === 0) yield i;
      else if (char === OPEN_OBJECT || char === OPEN_ARRAY) depth++;
      else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) depth--;
      if (depth < 0) throw new SyntaxError('a beginning is missing');
      if (i > pauseAt) {
        pauseAt = i + PAUSE;
        await setImmediate();
      }
    }
    yield to;
  }

  #isLarge({ from, to }: Span): boolean {
    return to - from > this.#size;
  }

  #slice({ from, to }: Span): string {
    return this.#text.slice(from, to);
  }

  #trimmed({ from, to }: Span): Span {
    const isBlank = (at: number) => BLANK.includes(this.#text.charAt(at));
    let [start, end] = [from, to];
    while (start < end && isBlank(start)) start++;
    while (start < end && isBlank(end - 1)) end--;
    return { from: start, to: end };
  }
}
