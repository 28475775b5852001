// Rooms of which some have a policy server: work that needs its signature is undone, and done again with the answer, the lock
// being free meanwhile. So a policy server that is slow makes nobody wait but who needs it.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { Committed, NewRoom, Rooms, RoomWork } from '../rooms/rooms.ts';
import type { PolicyServers } from './policy-servers.ts';
import { type PolicyAnswer, SignatureNeeded } from './signature-needed.ts';

type Attempt<T> = (work: RoomWork<T>) => Promise<Committed<T>>;

export class AskingRooms implements Rooms {
  readonly #rooms: Rooms;
  readonly #policyServers: Pick<PolicyServers, 'ask'>;

  constructor(rooms: Rooms, policyServers: Pick<PolicyServers, 'ask'>) {
    this.#rooms = rooms;
    this.#policyServers = policyServers;
  }

  head(roomId: RoomId) {
    return this.#rooms.head(roomId);
  }

  change<T>(roomId: RoomId, work: RoomWork<T>): Promise<Committed<T>> {
    return this.#run((again) => this.#rooms.change(roomId, again), work);
  }

  create<T>(room: NewRoom, work: RoomWork<T>): Promise<Committed<T>> {
    return this.#run((again) => this.#rooms.create(room, again), work);
  }

  async #run<T>(attempt: Attempt<T>, work: RoomWork<T>): Promise<Committed<T>> {
    try {
      return await attempt(work);
    } catch (error) {
      return this.#askFor(attempt, work, error);
    }
  }

  /** The work itself says when it has asked enough. */
  async #askFor<T>(attempt: Attempt<T>, work: RoomWork<T>, first: unknown): Promise<Committed<T>> {
    const answers: PolicyAnswer[] = [];
    for (let error = first; ; ) {
      if (!(error instanceof SignatureNeeded)) throw error;
      answers.push(await this.#policyServers.ask(error.question));
      try {
        return await attempt((room) => {
          room.policyAnswers = answers;
          return work(room);
        });
      } catch (next) {
        error = next;
      }
    }
  }
}
