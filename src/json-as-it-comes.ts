// Parses JSON of strangers while it arrives, piece by piece: others have their turn of the event loop in between, and neither all of
// its bytes nor all of its text is ever held. A piece ends at a comma, or where the list or object ends in which it began.

import { giveWay } from './give-way.ts';
import { JsonAssembly, unexpected } from './json-assembly.ts';
import { MatrixError } from './protocol/error.ts';
import type { JsonValue } from './protocol/json.ts';
import { checkJsonMeasures, MAX_JSON_DEPTH } from './protocol/json-checks.ts';
import { releaseBytes } from './release-bytes.ts';

/** Characters: what is parsed at once, if it is not one value. */
const PIECE = 64 * 1024;
/** So deep lists and objects are taken apart: `[200, {"state": [{…}]}]`. */
const LEVELS = 5;
/** Bytes: what is read in one turn. */
const TURN = 64 * 1024;

const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

type OnPiece = (text: string) => void;

/**
 * Undefined where there is nothing. Throws M_NOT_JSON or M_BAD_JSON, like parseForeignJson. The chunks are nobody else's: they are
 * released. `onPiece` is shown all text.
 */
export async function readForeignJson(
  chunks: AsyncIterable<Buffer>,
  onPiece?: OnPiece,
): Promise<JsonValue | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const parser = new JsonAsItComes({ onPiece });
  let size = 0;
  let turnEnds = TURN;
  for await (const chunk of chunks) {
    size += chunk.length;
    parser.add(decoded(() => decoder.decode(chunk, { stream: true })));
    releaseBytes(chunk);
    if (size < turnEnds) continue;
    turnEnds = size + TURN;
    await giveWay();
  }
  if (size === 0) return undefined;
  parser.add(decoded(() => decoder.decode()));
  return parser.end();
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new MatrixError('M_NOT_JSON', 'Content is not valid UTF-8');
  }
}

export class JsonAsItComes {
  readonly #size: number;
  readonly #onPiece: OnPiece;
  readonly #assembly = new JsonAssembly();
  /** Brackets that are open beyond those that are taken apart. */
  #beyond = 0;
  /** The piece so far, without the text at hand. */
  #parts: string[] = [];
  #held = 0;
  /** Where in the text at hand the piece goes on. */
  #from = 0;
  #length = 0;
  #values = 1;
  #isInString = false;
  /** Backslashes with which the text before has ended, in a string. */
  #escapes = 0;
  /** Of the last one, in the piece. */
  #stringFrom = 0;

  constructor({
    size = PIECE,
    onPiece = () => {},
  }: { size?: number; onPiece?: OnPiece | undefined }) {
    this.#size = size;
    this.#onPiece = onPiece;
  }

  /** Throws M_NOT_JSON, M_BAD_JSON. */
  add(text: string): void {
    this.#from = 0;
    this.#length += text.length;
    asJsonError(() => this.#scan(text));
    this.#parts.push(text.slice(this.#from));
    this.#held += text.length - this.#from;
    checkJsonMeasures({ depth: 0, values: this.#values }, this.#length);
  }

  /** Throws M_NOT_JSON, M_BAD_JSON. */
  end(): JsonValue {
    return asJsonError(() => {
      if (this.#isInString) throw unexpected();
      this.#from = 0;
      return this.#assembly.end(this.#piece('', 0));
    });
  }

  #scan(text: string): void {
    for (let i = this.#isInString ? this.#endOfString(text, 0) + 1 : 0; i < text.length; i++) {
      const char = text.charCodeAt(i);
      if (char === QUOTE) {
        this.#stringFrom = this.#place(i);
        i = this.#endOfString(text, i + 1);
      } else if (char === COLON) {
        if (this.#beyond === 0) this.#assembly.key(this.#stringFrom, this.#place(i));
      } else if (char === COMMA) this.#comma(text, i);
      else if (char === OPEN_OBJECT || char === OPEN_ARRAY) this.#open(char === OPEN_ARRAY);
      else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
        this.#close(text, i);
      }
    }
  }

  #open(isList: boolean): void {
    this.#values++;
    if (this.#assembly.depth < LEVELS) this.#assembly.open(isList);
    else this.#beyond++;
    checkJsonMeasures({ depth: LEVELS + this.#beyond, values: 0 }, MAX_JSON_DEPTH);
  }

  #close(text: string, at: number): void {
    if (this.#beyond > 0) this.#beyond--;
    else if (this.#assembly.isPieceOfTop) {
      this.#assembly.close(this.#piece(text, at), text.charCodeAt(at) === CLOSE_ARRAY);
    } else this.#assembly.leave();
  }

  #comma(text: string, at: number): void {
    this.#values++;
    if (this.#beyond > 0) return;
    if (this.#assembly.hasToCut || this.#place(at) >= this.#size) {
      this.#assembly.cut(this.#piece(text, at));
    }
  }

  /** Ends the piece before `at`; the next begins after it. */
  #piece(text: string, at: number): string {
    const piece = this.#parts.join('') + text.slice(this.#from, at);
    this.#parts = [];
    this.#held = 0;
    this.#from = at + 1;
    this.#onPiece(piece);
    return piece;
  }

  /** In the piece, of what is there in the text at hand. */
  #place(at: number): number {
    return this.#held + at - this.#from;
  }

  /** The index of the quote that ends the string that goes on at `from`; the end of the text where none does. */
  #endOfString(text: string, from: number): number {
    const before = this.#isInString ? this.#escapes : 0;
    const escapesAt = (end: number) => {
      let start = end;
      while (start > from && text.charCodeAt(start - 1) === BACKSLASH) start--;
      return end - start + (start === from ? before : 0);
    };
    this.#isInString = false;
    for (let end = text.indexOf('"', from); end !== -1; end = text.indexOf('"', end + 1)) {
      if (escapesAt(end) % 2 === 0) return end;
    }
    this.#isInString = true;
    this.#escapes = escapesAt(text.length);
    return text.length;
  }
}

function asJsonError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MatrixError('M_NOT_JSON', 'Content is not JSON');
  }
}
