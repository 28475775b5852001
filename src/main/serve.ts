// `keyhole serve`: from the configuration to a running server, until a signal.

import { systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { createLogger } from '../logger.ts';

export async function serve(configFile: string | undefined, version: string): Promise<number> {
  const { config, warnings } = loadConfig(configFile);
  const logger = createLogger(config.logLevel);
  for (const warning of warnings) logger.warn({}, warning);
  const stopped = untilSignal();
  const { compose } = await import('../compose.ts'); // a wrong configuration is told before
  const keyhole = await compose({ config, logger, clock: systemClock });
  try {
    const ports = await keyhole.listen();
    process.stdout.write(welcome(config, ports, version));
    const end = await Promise.race([stopped, keyhole.database.lost]);
    if (typeof end !== 'string') {
      // Nothing is finished or closed: that could only write more of what nobody can rely on.
      logger.error(
        { err: end },
        'stopping at once: what has been committed may not be on the disk',
      );
      process.exit(1);
    }
    logger.info({ signal: end }, 'stopping: what is in flight is finished first');
  } finally {
    await keyhole.close();
  }
  return 0;
}

/** The first signal asks to stop; the second ends the process where it stands. */
function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let hasStopped = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (hasStopped) process.exit(1);
      hasStopped = true;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

function welcome(config: Config, ports: readonly number[], version: string): string {
  const { database, registration } = config;
  const addresses = config.listeners.map(
    ({ host, tls }, index) =>
      `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${ports[index]}`,
  );
  const data = database.engine === 'sqlite' ? database.path : 'PostgreSQL';
  const accounts = registration.enabled
    ? 'anybody who reaches this address may register, with any Matrix client'
    : 'stop the server and run "bin/keyhole user create NAME", or see docs/operating.md';
  return [
    `Keyhole ${version} serves ${config.serverName} at ${config.publicBaseurl}`,
    `  listening  ${addresses.join(', ')}`,
    `  data       ${data}, media in ${config.mediaPath}, signing key ${config.signingKeyPath}`,
    `  next       give a Matrix client the homeserver ${config.publicBaseurl}`,
    `  accounts   ${accounts}`,
    '',
  ].join('\n');
}
