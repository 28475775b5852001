// What a process has used so far, from /proc (Linux).

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** CPU time of all threads so far, in ms. Resolution: one clock tick, usually 10 ms. */
export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (ticks: string | undefined) => (Number(ticks) * 1000) / ticksPerSecond;
  return { user: ms(fields[11]), system: ms(fields[12]) };
}

/** Resident memory in MB (2^20 bytes). */
export function residentMb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

/** The most that was resident since the process began, or since `5` was written to its clear_refs; MB (2^20 bytes). */
export function peakMb(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

/**
 * Begins to measure; says what share of all processors has been taken since by other processes than these, and by other machines on
 * the same host. What the kernel does is not counted: nobody knows for whom.
 */
export function othersTime(pids: readonly number[]): () => number {
  const before = machineTime(pids);
  return () => {
    const now = machineTime(pids);
    return (now.others - before.others) / (now.all - before.all);
  };
}

function machineTime(pids: readonly number[]): { readonly others: number; readonly all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ms = line
    .split(/\s+/)
    .slice(1, 9)
    .map((ticks) => (Number(ticks) * 1000) / ticksPerSecond);
  const [user = 0, nice = 0, , , , , , stolen = 0] = ms;
  const ours = pids.reduce((sum, pid) => sum + cpuTime(pid).user, 0);
  return { others: user + nice + stolen - ours, all: ms.reduce((sum, one) => sum + one, 0) };
}

/**
 * Whatever runs in other sessions on this machine gets what this one leaves, until what is returned is called. Undefined where that cannot
 * be had: it takes root, and a kernel that groups processes by session.
 */
export function takePrecedence(): (() => void) | undefined {
  const setNice = (nice: number) => writeFileSync('/proc/self/autogroup', String(nice));
  try {
    setNice(-20);
  } catch {
    return undefined;
  }
  return () => setNice(0);
}
