import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { PUSH_RULE_KINDS, type PushRuleset } from '../protocol/push-rules-default.ts';
import { forEachBackend, type Harness, openHarness, refusal } from './testing.ts';

async function rulesOf({ api }: Harness, userId: UserId): Promise<PushRuleset> {
  const { global } = await api.queryPushRules({ userId });
  return global as PushRuleset;
}

/** Ids of the user's own rules. */
async function ownIds(harness: Harness, userId: UserId, kind = 'room'): Promise<string[]> {
  const rules = (await rulesOf(harness, userId))[kind] as PushRuleset['room'];
  return rules.filter((rule) => !rule.default).map((rule) => rule.rule_id);
}

const NOTIFY = { actions: ['notify'] };

forEachBackend('push rules', (backend) => {
  test('are the default ones at first, the same object every time', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { api } = harness;
    const rules = await api.queryPushRules({ userId });
    assert.deepEqual(Object.keys(rules), ['global']);
    assert.equal(await api.queryPushRules({ userId }), rules);
    const { override, underride } = await rulesOf(harness, userId);
    assert.equal(override[0]?.rule_id, '.m.rule.master');
    assert.equal(override[0].enabled, false);
    assert.ok(underride.length > 0);
  });

  test('may be very many for rooms, but not with patterns', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { api } = harness;
    const set = (kind: string, ruleId: string, rule: JsonObject) =>
      api.performSetPushRule({ userId, kind, ruleId, rule: { ...NOTIFY, ...rule } });
    const match = { kind: 'event_match', key: 'content.body', pattern: 'x' };
    await set('override', 'many', { conditions: Array.from({ length: 290 }, () => match) });
    for (let n = 0; n < 10; n += 1) await set('content', `word ${n}`, { pattern: 'x' });
    await assert.rejects(set('content', 'one more', { pattern: 'x' }), refusal('M_TOO_LARGE'));
    await assert.rejects(
      set('underride', 'one more', { conditions: [match] }),
      refusal('M_TOO_LARGE'),
    );
    await set('content', 'word 3', { pattern: 'changed' });
    for (let n = 0; n < 20; n += 1) await set('room', `!room${n}:test.example`, {});
    assert.equal((await ownIds(harness, userId)).length, 20);
  });

  test('a new rule comes first, enabled, before the default ones but after the master', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { api, entries } = harness;
    const conditions = [{ kind: 'event_match', key: 'type', pattern: 'x' }, { kind: 'unknown' }];
    const rule = { actions: ['dont_notify'], conditions, junk: 1 };
    const { position } = await api.performSetPushRule({
      ...{ userId, kind: 'override', ruleId: 'mine', rule },
    });
    await api.performSetPushRule({ userId, kind: 'override', ruleId: 'тест', rule: NOTIFY });
    const { override } = await rulesOf(harness, userId);
    const ids = override.map(({ rule_id }) => rule_id);
    assert.deepEqual(ids.slice(0, 4), [
      '.m.rule.master',
      'тест',
      'mine',
      '.m.rule.suppress_notices',
    ]);
    const stored = { rule_id: 'mine', default: false, enabled: true };
    assert.deepEqual(override[2], { ...stored, actions: ['dont_notify'], conditions });
    const [entry] = await entries();
    assert.deepEqual(entry?.entry, { v: 1, kind: 'PushRulesChanged' });
    assert.equal(entry?.position, position);
  });

  test('rules are placed before and after others', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const set = (ruleId: string, place = {}) =>
      harness.api.performSetPushRule({ userId, kind: 'room', ruleId, rule: NOTIFY, ...place });
    for (const id of ['#a', '#b']) await set(id);
    await set('#c', { before: '#a' });
    assert.deepEqual(await ownIds(harness, userId), ['#b', '#c', '#a']);
    await set('#d', { after: '#b' });
    assert.deepEqual(await ownIds(harness, userId), ['#b', '#d', '#c', '#a']);
    await set('#e', { before: '#a', after: '#b' });
    assert.deepEqual(await ownIds(harness, userId), ['#b', '#d', '#c', '#e', '#a']);
    await set('#a', { before: '#b' });
    assert.deepEqual(await ownIds(harness, userId), ['#a', '#b', '#d', '#c', '#e']);
    await set('#d');
    assert.deepEqual(await ownIds(harness, userId), ['#a', '#b', '#d', '#c', '#e']);
    for (const place of [{ before: '#x' }, { after: '#x' }, { before: '#f' }, { after: '' }]) {
      await assert.rejects(set('#f', place), refusal('M_UNKNOWN'));
    }
    const relative = harness.api.performSetPushRule({
      ...{
        userId,
        kind: 'override',
        ruleId: 'x',
        rule: NOTIFY,
        before: '.m.rule.suppress_notices',
      },
    });
    await assert.rejects(relative, refusal('M_UNKNOWN'));
    assert.equal((await ownIds(harness, userId)).length, 5);
  });

  test('changing a rule keeps whether it is enabled', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const key = { userId, kind: 'sender', ruleId: '@bob:x' };
    await harness.api.performSetPushRule({ ...key, rule: NOTIFY });
    await harness.api.performSetPushRuleEnabled({ ...key, enabled: false });
    await harness.api.performSetPushRule({ ...key, rule: { actions: [] } });
    const expected = { rule_id: '@bob:x', default: false, enabled: false, actions: [] };
    assert.deepEqual((await rulesOf(harness, userId)).sender, [expected]);
    await harness.api.performDeletePushRule(key);
    await harness.api.performSetPushRule({ ...key, rule: NOTIFY });
    assert.equal((await rulesOf(harness, userId)).sender[0]?.enabled, true);
  });

  test('every default rule can be enabled, disabled and given other actions', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { api } = harness;
    const before = await rulesOf(harness, userId);
    for (const kind of PUSH_RULE_KINDS) {
      for (const { rule_id: ruleId } of before[kind]) {
        await api.performSetPushRuleEnabled({ userId, kind, ruleId, enabled: false });
        await api.performSetPushRuleActions({ userId, kind, ruleId, actions: ['dont_notify'] });
      }
    }
    const expected = Object.fromEntries(
      PUSH_RULE_KINDS.map((kind) => [
        kind,
        before[kind].map((rule) => ({ ...rule, enabled: false, actions: ['dont_notify'] })),
      ]),
    );
    assert.deepEqual(await rulesOf(harness, userId), expected);
    assert.deepEqual(await rulesOf(await harness.restart(), userId), expected);
  });

  test('rules that do not exist, and default ones, are not deleted or changed', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const { api, entries } = harness;
    for (const [kind, ruleId] of [
      ['override', '.m.rule.nonsense'],
      ['sender', '@bob:x'],
      ['room', '.m.rule.master'],
      ['override', '__proto__'],
    ] as const) {
      const key = { userId, kind, ruleId };
      for (const attempt of [
        () => api.performDeletePushRule(key),
        () => api.performSetPushRuleEnabled({ ...key, enabled: true }),
        () => api.performSetPushRuleActions({ ...key, actions: [] }),
      ]) {
        await assert.rejects(attempt, refusal('M_NOT_FOUND'), ruleId);
      }
    }
    const master = { userId, kind: 'override', ruleId: '.m.rule.master' };
    await assert.rejects(api.performDeletePushRule(master), refusal('M_NOT_FOUND'));
    const unknownKind = { ...master, kind: 'constructor' };
    await assert.rejects(api.performDeletePushRule(unknownKind), refusal('M_INVALID_PARAM'));
    assert.deepEqual(await entries(), []);
  });

  test('malformed rules are refused', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const valid = { userId, kind: 'content', ruleId: 'x', rule: { ...NOTIFY, pattern: 'tea' } };
    const withRule = (rule: JsonObject) => ({ ...valid, rule });
    const override = (conditions: JsonObject['conditions']) => ({
      ...{ ...valid, kind: 'override', rule: { ...NOTIFY, conditions } },
    });
    const cases: [typeof valid | ReturnType<typeof withRule>, string][] = [
      [{ ...valid, ruleId: '.x' }, 'M_INVALID_PARAM'],
      [{ ...valid, ruleId: 'a/b' }, 'M_INVALID_PARAM'],
      [{ ...valid, ruleId: 'a\\b' }, 'M_INVALID_PARAM'],
      [{ ...valid, ruleId: '' }, 'M_INVALID_PARAM'],
      [{ ...valid, ruleId: 'x'.repeat(256) }, 'M_INVALID_PARAM'],
      [{ ...valid, kind: 'overrides' }, 'M_INVALID_PARAM'],
      [withRule({ pattern: 'tea' }), 'M_MISSING_PARAM'],
      [withRule({ actions: [] }), 'M_MISSING_PARAM'],
      [withRule({ actions: [], pattern: 7 }), 'M_INVALID_PARAM'],
      [withRule({ actions: {}, pattern: 'x' }), 'M_INVALID_PARAM'],
      [withRule({ actions: [1], pattern: 'x' }), 'M_INVALID_PARAM'],
      [withRule({ actions: [{ value: 'x' }], pattern: 'x' }), 'M_INVALID_PARAM'],
      [override({}), 'M_INVALID_PARAM'],
      [override(['x']), 'M_INVALID_PARAM'],
      [override([{ pattern: 'x' }]), 'M_INVALID_PARAM'],
      [withRule({ actions: [], pattern: 'x'.repeat(600_000) }), 'M_TOO_LARGE'],
    ];
    for (const [request, errcode] of cases) {
      const refused = harness.api.performSetPushRule(request);
      await assert.rejects(refused, refusal(errcode), JSON.stringify(request).slice(0, 200));
    }
    assert.deepEqual(await ownIds(harness, userId, 'content'), []);
    await harness.api.performSetPushRule(valid);
    const actions = harness.api.performSetPushRuleActions({ ...valid, actions: 'notify' });
    await assert.rejects(actions, refusal('M_INVALID_PARAM'));
  });

  test('rules that are added at the same time are all kept', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const ids = Array.from({ length: 10 }, (_, i) => `#${i}`);
    await Promise.all(
      ids.map((ruleId) =>
        harness.api.performSetPushRule({ userId, kind: 'room', ruleId, rule: NOTIFY }),
      ),
    );
    assert.deepEqual((await ownIds(harness, userId)).sort(), ids);
  });
});
