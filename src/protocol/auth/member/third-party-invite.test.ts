import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerName } from '../../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts';
import { signJson } from '../../signing.ts';
import { generateSigningKey } from '../../signing-key.ts';
import {
  MEMBER,
  MODERATOR,
  type RuleCase,
  STRANGER,
  type TestRoom,
  testRules,
} from '../test-room.ts';
import { isSignedByInvite } from './third-party-signature.ts';

const KEY = generateSigningKey();
const OTHER_KEY = generateSigningKey();
const IDENTITY_SERVER = 'id.home.org' as ServerName;
const TOKEN = 'token';
const signed = signJson({ mxid: STRANGER, token: TOKEN }, IDENTITY_SERVER, KEY);

/** A room in which a member has invited somebody by e-mail. */
const inviting =
  (content: JsonObject = { public_key: KEY.publicKey }) =>
  (room: TestRoom) => {
    room.set({ type: 'm.room.third_party_invite', stateKey: TOKEN, sender: MEMBER, content });
  };

const redeem = (
  third_party_invite: JsonValue,
  more: { sender?: string; target?: string } = {},
) => ({
  type: 'm.room.member',
  sender: more.sender ?? MEMBER,
  stateKey: more.target ?? STRANGER,
  content: { membership: 'invite', third_party_invite },
});

/** Points of one rule, whose number differs. */
const point = (n: number) => ({
  '1-5': `5.3.1.${n}`,
  '6-7': `4.3.1.${n}`,
  '8-11': `4.4.1.${n}`,
  '12': `5.4.1.${n}`,
});
const ALLOWED = { '1-12': 'allowed' };

const CASES: readonly RuleCase[] = [
  {
    name: 'a signed invite is allowed',
    state: inviting(),
    event: redeem({ signed }),
    verdict: ALLOWED,
  },
  {
    name: 'whatever the invite level is by now, and although its sender has left',
    state: (room) => {
      inviting()(room);
      room.setLevels({ invite: 100 });
      room.setMembership(MEMBER, 'leave');
    },
    event: redeem({ signed }),
    verdict: ALLOWED,
  },
  {
    name: 'one of several keys suffices',
    state: inviting({
      public_key: OTHER_KEY.publicKey,
      public_keys: [{ public_key: 'nonsense' }, null, { public_key: KEY.publicKey }],
    }),
    event: redeem({ signed }),
    verdict: ALLOWED,
  },
  {
    name: 'a key may be written in URL-safe base64',
    state: inviting({ public_key: KEY.publicKey.replaceAll('+', '-').replaceAll('/', '_') }),
    event: redeem({ signed }),
    verdict: ALLOWED,
  },
  {
    name: 'the banned are not invited',
    state: (room) => {
      inviting()(room);
      room.setMembership(STRANGER, 'ban');
    },
    event: redeem({ signed }),
    verdict: point(1),
  },
  ...[{}, null, { signed: 'yes' }].map((invite) => ({
    name: `third_party_invite of ${JSON.stringify(invite)} is refused`,
    state: inviting(),
    event: redeem(invite),
    verdict: point(2),
  })),
  ...[{ mxid: STRANGER }, { token: TOKEN }, { mxid: STRANGER, token: 1 }].map((signed) => ({
    name: `signed of ${JSON.stringify(signed)} is refused`,
    state: inviting(),
    event: redeem({ signed }),
    verdict: point(3),
  })),
  {
    name: 'an invite is for one user',
    state: inviting(),
    event: redeem({ signed }, { target: '@friend:home.org' }),
    verdict: point(4),
  },
  { name: 'there has to be such an invite', event: redeem({ signed }), verdict: point(5) },
  {
    name: 'only its sender can have it redeemed',
    state: inviting(),
    event: redeem({ signed }, { sender: MODERATOR }),
    verdict: point(6),
  },
  {
    name: 'what another key has signed is refused',
    state: inviting({ public_key: OTHER_KEY.publicKey }),
    event: redeem({ signed }),
    verdict: point(8),
  },
  {
    name: 'what was changed after signing is refused',
    state: inviting(),
    event: redeem({ signed: { ...signed, display_name: 'me' } }),
    verdict: point(8),
  },
  ...[undefined, 7, {}, { [IDENTITY_SERVER]: 'x' }, { [IDENTITY_SERVER]: { 'ed25519:0': 1 } }].map(
    (signatures) => ({
      name: `signatures of ${JSON.stringify(signatures)} are refused`,
      state: inviting(),
      event: redeem({ signed: { mxid: STRANGER, token: TOKEN, signatures } }),
      verdict: point(8),
    }),
  ),
  ...[{}, { public_key: 1, public_keys: 'x' }, { public_key: 'AAAA' }].map((content) => ({
    name: `keys of ${JSON.stringify(content)} sign nothing`,
    state: inviting(content),
    event: redeem({ signed }),
    verdict: point(8),
  })),
];

testRules(CASES);

test('the number of verifications is bounded, in whatever order the keys of objects come', () => {
  const own = signed.signatures[IDENTITY_SERVER];
  assert.ok(isJsonObject(own));
  const signature = Object.values(own)[0];
  const many = Array.from({ length: 500 }, (_, i) => [`ed25519:${i}`, signature] as const);
  const content = { public_keys: Array(500).fill({ public_key: OTHER_KEY.publicKey }) };
  const crowd = { ...signed, signatures: { 'a.org': Object.fromEntries(many) } };
  assert.equal(isSignedByInvite(crowd, content), false);

  const late = { ...crowd, signatures: { ...crowd.signatures, ...signed.signatures } };
  const early = { ...crowd, signatures: { ...signed.signatures, ...crowd.signatures } };
  const keys = { public_key: KEY.publicKey };
  assert.equal(isSignedByInvite(late, keys), isSignedByInvite(early, keys));
});
