// The configuration: one file, overridden by the environment, checked as a whole, typed for the rest of the code.

import { readFileSync } from 'node:fs';
import type { ServerName } from '../protocol/identifiers.ts';
import { explainSystemError } from '../startup-error.ts';
import type { CamelCased } from './camel-case.ts';
import { ConfigError } from './config-error.ts';
import { applyOverrides, type Environment, type Override, readOverrides } from './environment.ts';
import { finish, type Refuse } from './finish.ts';
import { keysToCome } from './keys-to-come.ts';
import { configSchema } from './schema.ts';
import { type ConfigData, validate } from './validate.ts';
import { type KeyPath, parseYamlFile } from './yaml-file.ts';

/** The schema's keys as the code spells them. */
export type Data = CamelCased<ConfigData>;

export type DatabaseConfig =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string; readonly poolSize: number };

export interface ListenerConfig
  extends Omit<Data['listeners'][number], 'tls' | 'tlsCertPath' | 'tlsKeyPath'> {
  /** Absent: plain HTTP. */
  readonly tls?: { readonly certPath: string; readonly keyPath: string };
}

export interface Config
  extends Omit<
    Data,
    'serverName' | 'publicBaseurl' | 'federationAddress' | 'database' | 'listeners'
  > {
  readonly serverName: ServerName;
  /** Without a slash at the end. */
  readonly publicBaseurl: string;
  readonly federationAddress: ServerName | undefined;
  readonly database: DatabaseConfig;
  readonly listeners: readonly ListenerConfig[];
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each, for the log. */
  readonly warnings: readonly string[];
}

/** Without a file: a local trial, which only this machine can reach, with open registration. */
const LOCAL_TRIAL = `
server_name: localhost
public_baseurl: http://localhost:8008
registration: {enabled: true, allow_guests: true}
`;

/** `file` undefined: a local trial. Throws ConfigError. */
export function loadConfig(
  file: string | undefined,
  environment: Environment = process.env,
): LoadedConfig {
  if (file === undefined) return parseConfig(LOCAL_TRIAL, 'the local trial', environment);
  return parseConfig(readText(file), file, environment);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'there is no such file'
        : explainSystemError(error);
    throw new ConfigError(`${file}: cannot read the configuration: ${reason}`);
  }
}

/** `file` is named in errors. Throws ConfigError. */
export function parseConfig(
  text: string,
  file: string,
  environment: Environment = {},
): LoadedConfig {
  const yaml = parseYamlFile(text, file);
  const { overrides, unknown } = readOverrides(environment, configSchema);
  const given = applyOverrides(yaml.data, overrides);
  const refuse: Refuse = (path, message) => {
    const place = overriding(overrides, path) ?? yaml.placeOf(path);
    const key = path.length === 0 ? 'the configuration' : `'${keyName(path)}'`;
    throw new ConfigError(`${place}: ${key} ${message}`);
  };
  const warnings = keysToCome(given);
  const result = validate(given);
  if ('fault' in result) return refuse(result.fault.path, result.fault.message);
  const config = finish(result.data, refuse);
  return { config, warnings: [...warnings, ...unknownVariables(unknown)] };
}

function overriding(overrides: readonly Override[], path: KeyPath): string | undefined {
  const override = overrides.find((one) => one.path.every((key, index) => key === path[index]));
  return override === undefined ? undefined : `environment variable ${override.variable}`;
}

/** `listeners[0].port` */
function keyName(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

function unknownVariables(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`ignored, as they name no key: ${names.join(', ')}`];
}
