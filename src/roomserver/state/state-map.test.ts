// The persistent map against a plain Map, its ids, and what its operations cost in nodes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RoomId } from '../../protocol/identifiers.ts';
import {
  decodeNode,
  EMPTY_NODE,
  encodeNode,
  type NodeId,
  nodeIdOf,
  type StateNode,
} from './node.ts';
import {
  change,
  diff,
  entriesOf,
  lookUp,
  type MapChange,
  type NodeSpace,
  sizeOf,
} from './state-map.ts';

/** Keeps nodes in their stored form, and counts. */
class CountingSpace implements NodeSpace {
  readonly stored = new Map<NodeId, string>();
  read = 0;
  written = 0;

  node(id: NodeId): StateNode {
    this.read++;
    const content = this.stored.get(id);
    assert.ok(content !== undefined, `node ${id} is not stored`);
    return decodeNode(content);
  }

  put(node: StateNode): NodeId {
    const content = encodeNode(node);
    const id = nodeIdOf('!room:here.test' as RoomId, content);
    if (!this.stored.has(id)) this.written++;
    this.stored.set(id, content);
    return id;
  }

  async preload(): Promise<void> {}

  reset(): void {
    this.read = 0;
    this.written = 0;
  }
}

/** The same numbers on every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function members(count: number): MapChange[] {
  return Array.from({ length: count }, (_, n) => [`@user${n}:here.test`, `$event${n}`] as const);
}

describe('persistent map', () => {
  it('does what a Map does, and has the id of its content, over random operations', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomNumbers(seed);
      const space = new CountingSpace();
      const model = new Map<string, string>();
      let root = EMPTY_NODE;
      for (let step = 0; step < 60; step++) {
        const changes = Array.from({ length: 1 + random(8) }, (): MapChange => {
          const key = `key ${random(120)}`;
          // The second half mostly removes, so that branches fold back into leaves.
          const isRemoval = random(10) < (step < 30 ? 2 : 7);
          return [key, isRemoval ? undefined : `value ${random(5)}`];
        });
        for (const [key, value] of changes) {
          if (value === undefined) model.delete(key);
          else model.set(key, value);
        }
        root = await change(space, root, changes);
        assert.equal(await sizeOf(space, root), model.size);
      }
      assert.deepEqual(new Map(await entriesOf(space, root)), model);
      for (let n = 0; n < 120; n++) {
        assert.equal(await lookUp(space, root, `key ${n}`), model.get(`key ${n}`));
      }
      const shuffled = [...model].sort(() => random(3) - 1);
      assert.equal(await change(space, EMPTY_NODE, shuffled), root);
      let oneByOne = EMPTY_NODE;
      for (const entry of shuffled.toReversed()) oneByOne = await change(space, oneByOne, [entry]);
      assert.equal(oneByOne, root);
    }
  });

  it('gives some entries at the cost of some', async () => {
    const space = new CountingSpace();
    const root = await change(space, EMPTY_NODE, members(10_000));
    for (const limit of [0, 1, 16, 100]) {
      space.read = 0;
      const found = await entriesOf(space, root, limit);
      assert.equal(found.length, limit);
      assert.equal(new Set(found.map(([key]) => key)).size, limit);
      assert.ok(space.read <= 4 + limit, `${space.read} nodes for ${limit} entries`);
    }
    assert.equal((await entriesOf(space, root, 20_000)).length, 10_000);
  });

  it('finds what differs, both ways', async () => {
    const random = randomNumbers(7);
    const space = new CountingSpace();
    for (let round = 0; round < 30; round++) {
      const base = members(random(300));
      const changes = Array.from({ length: random(10) }, (): MapChange => {
        const key = `@user${random(320)}:here.test`;
        return [key, random(3) === 0 ? undefined : `$new${random(4)}`];
      });
      const a = await change(space, EMPTY_NODE, base);
      const b = await change(space, a, changes);
      const left = new Map(base);
      const right = new Map(base);
      for (const [key, value] of changes) {
        if (value === undefined) right.delete(key);
        else right.set(key, value);
      }
      const expected = [...new Set([...left.keys(), ...right.keys()])]
        .filter((key) => left.get(key) !== right.get(key))
        .map((key) => [key, left.get(key), right.get(key)]);
      assert.deepEqual((await diff(space, a, b)).sort(), expected.sort());
      const back = expected.map(([key, from, to]) => [key, to, from]);
      assert.deepEqual((await diff(space, b, a)).sort(), back.sort());
    }
  });

  it('touches the way to what changes, not the 10,000 members', async () => {
    const space = new CountingSpace();
    const root = await change(space, EMPTY_NODE, members(10_000));
    space.reset();
    const changed = await change(space, root, [['@user5000:here.test', '$other']]);
    assert.ok(space.read <= 5, `${space.read} read`);
    assert.ok(space.written <= 5, `${space.written} written`);
    space.reset();
    assert.equal((await diff(space, root, changed)).length, 1);
    assert.ok(space.read <= 10, `${space.read} read`);
    space.reset();
    assert.equal(await lookUp(space, changed, '@user5000:here.test'), '$other');
    assert.ok(space.read <= 5, `${space.read} read`);
    space.reset();
    assert.deepEqual(await diff(space, root, root), []);
    assert.equal(space.read, 0);
  });

  it('returns to the same node when a change is taken back', async () => {
    const space = new CountingSpace();
    const root = await change(space, EMPTY_NODE, members(1_000));
    const other = await change(space, root, [['@new:here.test', '$new']]);
    assert.notEqual(other, root);
    assert.equal(await change(space, other, [['@new:here.test', undefined]]), root);
    assert.equal(
      await change(
        space,
        root,
        members(1_000).map(([key]) => [key, undefined]),
      ),
      EMPTY_NODE,
    );
  });

  it('holds keys and values of any text', async () => {
    const space = new CountingSpace();
    const entries: MapChange[] = [
      ['', '$empty'],
      ['m.room.name\u0000', '$separator'],
      ['quote " comma , bar | bracket [', '$special'],
      ['\u{1f600}', '$astral'],
    ];
    const root = await change(space, EMPTY_NODE, entries);
    for (const [key, value] of entries) assert.equal(await lookUp(space, root, key), value);
  });

  it('is salted with the room', () => {
    const ids = ['!a:here.test', '!b:here.test'].map((roomId) => nodeIdOf(roomId as RoomId, '[]'));
    assert.notEqual(ids[0], ids[1]);
  });
});
