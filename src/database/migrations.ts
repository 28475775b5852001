// Brings the tables of a component to the shape that this version of the code expects. Forward only.

import type { Clock } from '../clock.ts';
import type { Database, Migration } from './database.ts';
import { DatabaseError } from './database.ts';
import { sql } from './sql.ts';

export class Migrator {
  readonly #database: Database;
  readonly #clock: Clock;
  /** One at a time: components start together, and definitions of tables do not mix well. */
  #last: Promise<void> = Promise.resolve();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    const mine = this.#last.then(() => this.#apply(component, migrations));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #apply(component: string, migrations: readonly Migration[]): Promise<void> {
    const applied = await this.#applied(component);
    checkKnown(component, migrations, applied);
    for (const migration of migrations) {
      if (!applied.has(migration.name)) await this.#applyOne(component, migration);
    }
  }

  async #applied(component: string): Promise<Set<string>> {
    return this.#database.transact(async (tx) => {
      await tx.run(sql`
        CREATE TABLE IF NOT EXISTS keyhole_migrations (
          component TEXT_KEY NOT NULL,
          name TEXT_KEY NOT NULL,
          applied_at BIGINT NOT NULL,
          PRIMARY KEY (component, name)
        )`);
      const found = await tx.all<{ name: string }>(
        sql`SELECT name FROM keyhole_migrations WHERE component = ${component}`,
      );
      return new Set(found.map((row) => row.name));
    });
  }

  async #applyOne(component: string, { name, statements }: Migration): Promise<void> {
    await this.#database.transact(async (tx) => {
      for (const statement of statements) await tx.run(statement);
      await tx.run(sql`
        INSERT INTO keyhole_migrations (component, name, applied_at)
        VALUES (${component}, ${name}, ${this.#clock.now()})`);
    });
  }
}

/** A database of a newer version would be read wrongly, and spoilt by what is written. */
function checkKnown(
  component: string,
  migrations: readonly Migration[],
  applied: ReadonlySet<string>,
): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied].filter((name) => !known.has(name)).sort();
  if (unknown.length === 0) return;
  throw new DatabaseError(
    'other',
    `The database was written by a newer version: ${component} has the migration ${unknown.join(', ')}, ` +
      'which this version does not know. Start the newer version, or restore a backup from before the upgrade.',
  );
}
