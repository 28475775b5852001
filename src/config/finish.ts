// From checked data to the configuration that the code takes: what depends on more than one key.

import { isNetwork } from '../network-list.ts';
import { isServerName, type ServerName } from '../protocol/identifiers.ts';
import { camelCased } from './camel-case.ts';
import type { Config, Data, DatabaseConfig, ListenerConfig } from './config.ts';
import type { ConfigData } from './validate.ts';
import type { KeyPath } from './yaml-file.ts';

type ListenerData = Data['listeners'][number];

/** Throws; `message` says what is wrong with the key and what to do. */
export type Refuse = (path: KeyPath, message: string) => never;

export function finish(snakeCased: ConfigData, refuse: Refuse): Config {
  const data = camelCased(snakeCased);
  const serverName = checkServerName(data, refuse);
  checkDeniedNetworks(data, refuse);
  const publicBaseurl = (data.publicBaseurl ?? `https://${serverName}`).replace(/\/+$/, '');
  return {
    ...data,
    serverName,
    publicBaseurl,
    federationAddress: federationAddressOf(data, publicBaseurl, refuse),
    database: databaseOf(data, refuse),
    listeners: data.listeners.map((listener, index) => listenerOf(listener, index, refuse)),
  };
}

function checkServerName({ serverName }: Data, refuse: Refuse): ServerName {
  const path = ['server_name'];
  if (serverName === undefined) refuse(path, 'is missing: add "server_name: example.org"');
  if (isServerName(serverName)) return serverName;
  return refuse(path, `is "${serverName}", but wants a host name, with a port if need be`);
}

function federationAddressOf(
  { federationAddress: address }: Data,
  publicBaseurl: string,
  refuse: Refuse,
): ServerName | undefined {
  if (address === undefined) {
    const { protocol, hostname, port } = new URL(publicBaseurl);
    return protocol === 'https:' ? (`${hostname}:${port || 443}` as ServerName) : undefined;
  }
  if (isServerName(address)) return address;
  const message = `is "${address}", but wants a name and a port, such as matrix.example.org:443`;
  return refuse(['federation_address'], message);
}

function checkDeniedNetworks({ outbound }: Data, refuse: Refuse): void {
  for (const [index, network] of outbound.deniedNetworks.entries()) {
    if (isNetwork(network)) continue;
    const path = ['outbound', 'denied_networks', index];
    refuse(path, `is "${network}", but wants a network such as 10.0.0.0/8 or fc00::/7`);
  }
}

function databaseOf({ database }: Data, refuse: Refuse): DatabaseConfig {
  const { engine, path, url, poolSize } = database;
  if (engine === 'sqlite') return { engine, path };
  const example = 'url: postgres://USER:PASSWORD@HOST:PORT/NAME';
  if (url === undefined) refuse(['database', 'url'], `is missing: add "${example}"`);
  return { engine, url, poolSize };
}

function listenerOf(listener: ListenerData, index: number, refuse: Refuse): ListenerConfig {
  const { tls, tlsCertPath, tlsKeyPath, ...rest } = listener;
  if (!tls) return rest;
  const missing = (key: string) =>
    refuse(['listeners', index, key], 'is missing: with "tls: true" it names a PEM file');
  if (tlsCertPath === undefined) return missing('tls_cert_path');
  if (tlsKeyPath === undefined) return missing('tls_key_path');
  return { ...rest, tls: { certPath: tlsCertPath, keyPath: tlsKeyPath } };
}
