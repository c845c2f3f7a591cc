/** What can be done with a store as a whole: count it, make it smaller, take its answers out. */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { StatementSync } from "node:sqlite";
import { failure } from "../errors.ts";
import { Damage, Database } from "./database.ts";
import { type Facts, unpacked } from "./outcome.ts";

/** Of one provider's model. */
export interface ModelCount {
  readonly provider: string;
  readonly model: string;
  readonly answers: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface StoreStats {
  readonly path: string;
  readonly answers: number;
  /** On disk, the log included. */
  readonly bytes: number;
  /** ISO times; null: it is empty. */
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly models: readonly ModelCount[];
}

/** One stored outcome, as `export` gives it: neither keys nor prompts, of which only a hash is kept. */
export interface Exported {
  readonly at: string;
  readonly provider: string;
  readonly model: string;
  readonly text?: string;
  readonly finishReason?: string;
  readonly usage?: unknown;
  readonly requestId?: string | undefined;
  readonly error?: unknown;
}

/** @throws `invalid_option` when there is no store, or it is none */
export function storeStats(path: string): StoreStats {
  return withStore(path, ({ sql }) => {
    const { answers, oldest, newest } = one(
      sql.prepare("SELECT count(*) AS answers, min(at) AS oldest, max(at) AS newest FROM answers"),
    );
    const models = sql
      .prepare(
        `SELECT provider, model, count(*) AS answers,
           coalesce(sum(facts ->> '$.usage.inputTokens'), 0) AS inputTokens,
           coalesce(sum(facts ->> '$.usage.outputTokens'), 0) AS outputTokens
         FROM answers GROUP BY provider, model ORDER BY answers DESC, provider, model`,
      )
      .all()
      .map((row) => ({ ...row }) as unknown as ModelCount);
    return { path, answers: Number(answers), bytes: bytesOf(path), oldest: time(oldest), newest: time(newest), models };
  });
}

/** Deletes what was stored before `before` (ms since 1970) and gives the room back to the disk; how many there were. */
export function pruneStore(path: string, before: number): number {
  return withStore(path, ({ sql }) => {
    const { changes } = sql.prepare("DELETE FROM answers WHERE at < ?").run(before);
    if (changes > 0) sql.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    return Number(changes);
  });
}

/** All outcomes, the oldest first; one in memory at a time. */
export function* exportStore(path: string): Generator<Exported> {
  const database = openStore(path);
  try {
    const rows = database.sql.prepare("SELECT at, provider, model, facts, text FROM answers ORDER BY id").iterate();
    for (const { at, provider, model, facts, text } of rows) {
      const told = JSON.parse(String(facts)) as Facts;
      const answer = "error" in told ? told : { text: unpacked(text as string | Uint8Array), ...told };
      yield { at: time(at) ?? "", provider: String(provider), ...answer, model: String(model) };
    }
  } catch (error) {
    throw told(path, error);
  } finally {
    database.close();
  }
}

function withStore<T>(path: string, act: (database: Database) => T): T {
  const database = openStore(path);
  try {
    return act(database);
  } catch (error) {
    throw told(path, error);
  } finally {
    database.close();
  }
}

/** How long somebody who looks after a store waits for a run that writes it, ms. */
const PATIENCE = 30_000;

/** @throws `invalid_option` when there is none, or it is none */
export function openStore(path: string): Database {
  if (!existsSync(path)) throw failure("invalid_option", `There is no store ${path}. Name one with --store.`);
  try {
    const database = new Database(resolve(path));
    database.sql.exec(`PRAGMA busy_timeout = ${PATIENCE}`);
    return database;
  } catch (error) {
    throw told(path, error);
  }
}

/** What a fault of the database means to who looks after the store. */
export function told(path: string, error: unknown): unknown {
  if (error instanceof Damage) {
    return failure(
      "invalid_option",
      `The store ${path} is damaged: ${error.message}. The next run sets it aside and saves what can be read.`,
      { cause: error },
    );
  }
  if (!(error instanceof Error && "errcode" in error)) return error;
  return failure("store_failed", `The store ${path} failed: ${error.message}.`, { cause: error });
}

const one = (statement: StatementSync): Record<string, unknown> => statement.get() ?? {};

const time = (at: unknown): string | null => (at === null ? null : new Date(Number(at)).toISOString());

const bytesOf = (path: string): number =>
  ["", "-wal"].reduce((sum, ending) => sum + (statSync(path + ending, { throwIfNoEntry: false })?.size ?? 0), 0);
