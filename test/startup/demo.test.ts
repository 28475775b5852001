// `npm run demo` shows what it promises, and leaves nothing running.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** In this order. */
const SHOWN = [
  /looker +@looker:localhost:\d+ looks: POST \/peek\/#square:localhost:\d+/,
  /looker +the room stands in rooms\.peek of \/sync/,
  /looker +state arrives: .*m\.room\.create.*m\.room\.member/,
  /looker +sees {2}<@bot:localhost:\d+> /,
  /servers +keyhole peeks on localhost:\d+: out !\S+ localhost:\d+, 1 device looking/,
  /servers +keyhole peeks on localhost:\d+: in !\S+ localhost:\d+/,
  /servers +the subscription was renewed, until /,
  /servers +the subscription was renewed, until /,
  /looker +scrolls back: GET \/messages/,
  /looker +reads <@bot:localhost:\d+> A pigeon has landed on the fountain\./,
  /looker +joins: POST \/join/,
  /servers +the subscription has ended/,
  /bot +has been greeted by a member of another server/,
];

test('the demo', async () => {
  const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', 'demo'], {
    cwd: root,
  });
  assert.equal(stderr, '');
  let rest = stdout;
  for (const expected of SHOWN) {
    const found = expected.exec(rest);
    assert.ok(found, `${expected} is missing in:\n${stdout}`);
    rest = rest.slice(found.index + found[0].length);
  }
});
