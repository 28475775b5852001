import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { lockDataFolder } from './data-lock.ts';

describe('lockDataFolder', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyhole-lock-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('refuses a second holder, naming the folder, until the first gives it back', () => {
    const release = lockDataFolder(folder);
    assert.throws(
      () => lockDataFolder(folder),
      (error: Error) => error.message.includes(`${folder} is in use by another process`),
    );
    release();
    release();
    lockDataFolder(folder)();
  });

  test('is held against another process, and ends with that process however it dies', async () => {
    const script = `
      const { lockDataFolder } = await import(${JSON.stringify(import.meta.resolve('./data-lock.ts'))});
      lockDataFolder(${JSON.stringify(folder)});
      console.log('held');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    assert.throws(() => lockDataFolder(folder), /in use by another process/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockDataFolder(folder)();
  });

  test('says what is wrong when the folder is not there', () => {
    assert.throws(() => lockDataFolder(join(folder, 'nowhere')), /unable to open/);
  });
});
