// `keyhole peeks`: looks into rooms of other servers, and theirs into ours, read beside the running server.

import { systemClock } from '../clock.ts';
import { type PeekListing, readPeeks } from '../compose.ts';
import { loadConfig } from '../config/config.ts';

const HEADER = ['', 'room', 'server', 'since', 'renewed', 'until', 'devices'];

/** A line for each, in columns; nothing but the header where there is none. */
export async function showPeeks(configFile: string | undefined): Promise<number> {
  const { config } = loadConfig(configFile);
  const peeks = await readPeeks({ config, clock: systemClock });
  process.stdout.write(tableOf([HEADER, ...peeks.map(cellsOf)]));
  return 0;
}

function cellsOf(peek: PeekListing): string[] {
  const { direction, roomId, server, sinceTs, renewedTs, deadlineTs, devices } = peek;
  const isOurs = direction === 'out';
  const times = [sinceTs, renewedTs, deadlineTs].map(timeOf);
  return [direction, roomId, server, ...times, isOurs ? String(devices) : '-'];
}

/** To the second, in UTC. */
function timeOf(ts: number): string {
  return ts === 0 ? '-' : new Date(ts).toISOString().replace(/\.\d+Z$/, 'Z');
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = HEADER.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((cells) => `${lineOf(cells)}\n`).join('');
}
