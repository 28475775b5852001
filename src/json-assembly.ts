// What has been parsed of JSON that comes in pieces: the lists and objects that have begun and not ended, and what they hold so far.

import { type JsonValue, parseJsonExactly } from './protocol/json.ts';

type Members = Record<string, JsonValue | undefined>;
type Container = JsonValue[] | Members;

interface Level {
  readonly isList: boolean;
  /** Where the key of its last member stands in the piece, with the blanks after it. */
  keyFrom: number;
  keyTo: number;
}

export const unexpected = () => new SyntaxError('something is missing');

export class JsonAssembly {
  /** The lowest is a list of which the whole is the one item. */
  readonly #levels: Level[] = [{ isList: true, keyFrom: 0, keyTo: 0 }];
  /** Of the lowest levels; those above are all in the piece. */
  readonly #containers: Container[] = [[]];
  /** What may come: a value or nothing, a value, or nothing. */
  #next: 'any' | 'value' | 'nothing' = 'any';

  get depth(): number {
    return this.#levels.length - 1;
  }

  /** The piece has begun in the innermost list or object. */
  get isPieceOfTop(): boolean {
    return this.#containers.length === this.#levels.length;
  }

  /** At a comma: there is nothing in the piece, since what was before has ended with the last. */
  get hasToCut(): boolean {
    return this.#next === 'nothing' && this.isPieceOfTop;
  }

  open(isList: boolean): void {
    this.#levels.push({ isList, keyFrom: 0, keyTo: 0 });
  }

  /** Something ends that has begun in the piece. */
  leave(): void {
    this.#levels.pop();
  }

  key(from: number, to: number): void {
    const top = this.#levels.at(-1) as Level;
    top.keyFrom = from;
    top.keyTo = to;
  }

  /** A comma follows the piece. */
  cut(piece: string): void {
    if (this.depth === 0) throw unexpected();
    if (this.#next === 'nothing') this.#checkBlank(piece);
    else this.#descend(piece, this.#take(piece, this.#levels.slice(this.#containers.length)));
    this.#next = 'value';
  }

  /** The end of what it has begun in follows the piece. */
  close(piece: string, isList: boolean): void {
    if (this.depth === 0 || this.#levels.at(-1)?.isList !== isList) throw unexpected();
    this.#takeLast(piece);
    this.#levels.pop();
    this.#containers.pop();
    this.#next = 'nothing';
  }

  /** Nothing follows. */
  end(piece: string): JsonValue {
    if (this.depth > 0) throw unexpected();
    this.#takeLast(piece);
    const [value, ...more] = this.#containers[0] as JsonValue[];
    if (value === undefined || more.length > 0) throw unexpected();
    return value;
  }

  #takeLast(piece: string): void {
    if (this.#next === 'nothing') this.#checkBlank(piece);
    else if (this.#next === 'value' || piece.trim() !== '') this.#take(piece, []);
  }

  #checkBlank(piece: string): void {
    if (!/^[ \t\n\r]*$/.test(piece)) throw unexpected();
  }

  /** Adds what is in the piece, where those levels are still open. Returns all of it. */
  #take(piece: string, open: readonly Level[]): Container {
    const index = this.#containers.length - 1;
    const { isList } = this.#levels[index] as Level;
    const ends = open.toReversed().map((level) => (level.isList ? ']' : '}'));
    const text = isList ? `[${piece}${ends.join('')}]` : `{${piece}${ends.join('')}}`;
    const part = parseJsonExactly(text) as Container;
    if (isEmpty(part)) throw unexpected();
    add(this.#containers[index] as Container, part);
    return part;
  }

  /** Keeps the containers of the levels that are open at the end of the piece. */
  #descend(piece: string, part: Container): void {
    let holder = part;
    while (this.#containers.length < this.#levels.length) {
      const { keyFrom, keyTo } = this.#levels[this.#containers.length - 1] as Level;
      const last = Array.isArray(holder)
        ? holder.at(-1)
        : holder[String(JSON.parse(piece.slice(keyFrom, keyTo)))];
      if (typeof last !== 'object' || last === null) throw unexpected();
      holder = last as Container;
      this.#containers.push(holder);
    }
    if (isEmpty(holder)) throw unexpected();
  }
}

function isEmpty(container: Container): boolean {
  if (Array.isArray(container)) return container.length === 0;
  for (const _ in container) return false;
  return true;
}

function add(container: Container, part: Container): void {
  if (Array.isArray(container)) {
    for (const item of part as JsonValue[]) container.push(item);
    return;
  }
  for (const [key, value] of Object.entries(part)) {
    if (key !== '__proto__') container[key] = value;
    else Object.defineProperty(container, key, { value, ...PLAIN });
  }
}

const PLAIN = { configurable: true, enumerable: true, writable: true };
