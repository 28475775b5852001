// Topics that are never on disk: an entry reaches who listens now.

import type { Logger } from '../logger.ts';
import type { EntryOf, EphemeralTopic } from './entries.ts';

type Listener = (key: string, entry: EntryOf[EphemeralTopic]) => void;

export class EphemeralTopics {
  readonly #logger: Logger;
  readonly #listeners = new Map<EphemeralTopic, Set<Listener>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  publish<T extends EphemeralTopic>(topic: T, key: string, entry: EntryOf[T]): void {
    for (const listener of this.#listeners.get(topic) ?? []) {
      try {
        listener(key, entry);
      } catch (error) {
        this.#logger.error({ topic, key, err: error }, 'a listener failed');
      }
    }
  }

  listen<T extends EphemeralTopic>(
    topic: T,
    listener: (key: string, entry: EntryOf[T]) => void,
  ): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    const own: Listener = (key, entry) => listener(key, entry as EntryOf[T]);
    listeners.add(own);
    return () => listeners.delete(own);
  }
}
