/** A table in Postgres, through pg: batches that outlive a lost connection. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { failure, isMillraceError } from "../errors.ts";
import { load } from "../load.ts";
import type { Entry, Refusal, Table } from "./database.ts";
import { passes } from "./postgres-errors.ts";
import { PostgresRows } from "./postgres-rows.ts";

/** How long a connection or a statement may take, ms. */
const LONGEST_CONNECT = 10_000;
const LONGEST_STATEMENT = 60_000;

/** How long a server that is away is tried again before the run fails, and the pauses between the tries, ms. */
const LONGEST_OUTAGE = 60_000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

export interface PostgresFacts {
  readonly table: string;
  readonly key: string;
  /** In place of a minute, ms. */
  readonly longestOutage?: number;
}

/** Whether a URL of a database holds a password: one on a command line would be seen by every user of the machine. */
export function holdsPassword(text: string): boolean {
  const url = parsed(text);
  return url.password !== "" || url.searchParams.has("password");
}

/** @throws ConfigurationError that does not repeat the text, which may hold a password */
function parsed(text: string): URL {
  try {
    // A URL of no host means the machine itself, which URL knows of no such scheme.
    return new URL(text.replace(/^(postgres(?:ql)?:\/\/)(?=\/|\?|$)/i, "$1localhost"));
  } catch {
    throw failure(
      "invalid_option",
      "The URL of the database cannot be read. It is postgres://user@host:5432/database.",
    );
  }
}

/** The URL without its password, and without options that may hold another secret. */
function shown(text: string): string {
  const { username } = parsed(text);
  const [, scheme = "", rest = ""] = /^(\w+:\/\/)(.*)$/.exec(text.replace(/[?#].*$/, "")) ?? [];
  const place = rest.slice(rest.lastIndexOf("@") + 1);
  return username === "" ? scheme + place : `${scheme}${username}@${place}`;
}

export class PostgresTable implements Table {
  readonly name: string;
  readonly key: string;
  readonly path: undefined;
  away = false;
  readonly #url: string;
  readonly #rows: PostgresRows;
  readonly #longestOutage: number;
  #client: Client | undefined;
  #closed = false;

  /** @throws ConfigurationError for a URL that is none */
  constructor(url: string, { table, key, longestOutage = LONGEST_OUTAGE }: PostgresFacts) {
    this.#longestOutage = longestOutage;
    this.name = shown(url);
    this.key = key;
    this.#url = url;
    this.#rows = new PostgresRows(table, key);
  }

  async open(): Promise<void> {
    await this.#rows.look(await this.#connected());
  }

  async #connected(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const { Client } = load("pg") as typeof import("pg");
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: LONGEST_CONNECT,
      query_timeout: LONGEST_STATEMENT,
      keepAlive: true,
      fallback_application_name: "millrace",
    });
    // Heard at the next statement; unheard it would end the process.
    client.on("error", () => this.#drop(client));
    this.#client = client;
    try {
      await client.connect();
    } catch (error) {
      this.#drop(client);
      throw error;
    }
    if (this.#closed) throw new Error("it was closed");
    return client;
  }

  /** At once: a connection that does not answer would not answer a farewell either. */
  #drop(client: Client): void {
    if (this.#client === client) this.#client = undefined;
    cut(client);
  }

  /** A batch is one transaction; one that was committed unheard of changes nothing when it is done again. */
  upsert(entries: readonly Entry[], signal: AbortSignal): Promise<readonly Refusal[]> {
    return this.#lasting((client) => this.#rows.upsert(client, entries), signal);
  }

  async #lasting<T>(work: (client: Client) => Promise<T>, signal: AbortSignal): Promise<T> {
    let since: number | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      signal.throwIfAborted();
      try {
        const made = await work(await this.#connected());
        this.away = false;
        return made;
      } catch (error) {
        if (this.#closed || isMillraceError(error)) throw error;
        // Whatever it was in the middle of, nothing of it may be found by the next statement.
        if (this.#client !== undefined) this.#drop(this.#client);
        if (!passes(error)) throw error;
        this.away = true;
        since ??= performance.now();
        if (performance.now() - since >= this.#longestOutage) {
          const away = `the server was away for ${this.#longestOutage / 1_000} s (${(error as Error).message}).`;
          throw new Error(away, { cause: error });
        }
      }
      await sleep(pause * (0.75 + Math.random() / 2), undefined, { signal });
    }
  }

  async finish(signal: AbortSignal): Promise<void> {
    await this.#lasting((client) => this.#rows.complete(client), signal);
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    // All is committed: a farewell that fails changes nothing.
    await client?.end().catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client !== undefined) this.#drop(this.#client);
  }
}

/** pg's own `end` waits for the server. */
function cut(client: Client): void {
  const { connection } = client as unknown as { readonly connection?: { readonly stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}
