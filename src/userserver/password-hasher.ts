// Passwords, hashed with argon2id and stored in PHC string format with the parameters of their time.

import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { ConcurrencyLimit } from '../concurrency-limit.ts';
import { decodeBase64, encodeBase64 } from '../protocol/base64.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserserverConfig } from './config.ts';

interface Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

const SALT_BYTES = 16;
const TAG_BYTES = 32;
const MAX_PASSWORD_BYTES = 512;
const DEFAULT_MIN_LENGTH = 8;
/** A hash takes about 50 ms: who is further back would wait for more than ten seconds. */
const MAX_WAITING = 400;
const CHEAPEST: Cost = { memory: 8, passes: 1, parallelism: 1 };

export class PasswordHasher {
  readonly #cost: Cost;
  readonly #minLength: number;
  readonly #limit: ConcurrencyLimit;
  /** Of a password that nobody has: what is checked for users that do not exist. */
  readonly #nobodys: string;

  constructor({ passwordHash, minPasswordLength }: UserserverConfig) {
    const { memoryKib = 19_456, passes = 2, parallelism = 1 } = passwordHash;
    this.#cost = passwordHash.fastForTests ? CHEAPEST : { memory: memoryKib, passes, parallelism };
    this.#minLength = minPasswordLength ?? DEFAULT_MIN_LENGTH;
    this.#limit = new ConcurrencyLimit({
      running: passwordHash.concurrency ?? 2,
      waiting: MAX_WAITING,
    });
    this.#nobodys = phcString(this.#cost, randomBytes(SALT_BYTES), randomBytes(TAG_BYTES));
  }

  /** Throws M_WEAK_PASSWORD, or M_INVALID_PARAM when it is too long. */
  checkNew(password: string): void {
    if ([...password].length < this.#minLength) {
      const message = `Passwords have at least ${this.#minLength} characters`;
      throw new MatrixError('M_WEAK_PASSWORD', message);
    }
    if (isTooLong(password)) {
      throw new MatrixError(
        'M_INVALID_PARAM',
        `Passwords have at most ${MAX_PASSWORD_BYTES} bytes`,
      );
    }
  }

  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return phcString(this.#cost, salt, await this.#derive(password, this.#cost, salt));
  }

  /** Without a stored hash the answer is false, at the same cost. */
  async isRight(password: string, stored: string | undefined): Promise<boolean> {
    // No such password can be set, so its length gives nothing away.
    if (isTooLong(password)) return false;
    const { cost, salt, tag } = parsePhcString(stored ?? this.#nobodys);
    const derived = await this.#derive(password, cost, salt);
    return timingSafeEqual(derived, tag) && stored !== undefined;
  }

  #derive(password: string, cost: Cost, salt: Uint8Array): Promise<Uint8Array> {
    const { memory, passes, parallelism } = cost;
    const parameters = { message: password, nonce: salt, tagLength: TAG_BYTES };
    return this.#limit.run(() => argon2id({ ...parameters, memory, passes, parallelism }));
  }
}

function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > MAX_PASSWORD_BYTES;
}

function argon2id(parameters: Argon2Parameters): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)));
  });
}

function phcString(cost: Cost, salt: Uint8Array, tag: Uint8Array): string {
  const parameters = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`;
  return `$argon2id$v=19$${parameters}$${encodeBase64(salt)}$${encodeBase64(tag)}`;
}

const PHC_STRING =
  /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parsePhcString(text: string): { cost: Cost; salt: Uint8Array; tag: Uint8Array } {
  const [, memory, passes, parallelism, salt, tag] = PHC_STRING.exec(text) ?? [];
  const bytes = { salt: decodeBase64(salt), tag: decodeBase64(tag) };
  if (bytes.salt === undefined || bytes.tag?.length !== TAG_BYTES) {
    throw new Error('a stored password hash is malformed');
  }
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return { cost, salt: bytes.salt, tag: bytes.tag };
}
