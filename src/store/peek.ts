/** A look into a store from outside a run: what is answered already, and how long answers were. Nothing is written. */

import { existsSync } from "node:fs";
import type { Database } from "./database.ts";
import { openStore, told } from "./look-after.ts";
import type { Facts } from "./outcome.ts";
import { unpacked } from "./outcome.ts";

/** One answer of the past. */
export interface Past {
  readonly text: string;
  readonly outputTokens: number;
}

export class Peek {
  readonly #path: string;
  readonly #database: Database;

  private constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
  }

  /** Undefined where there is no store yet. @throws `invalid_option`, `store_failed` */
  static open(path: string): Peek | undefined {
    return existsSync(path) ? new Peek(path, openStore(path)) : undefined;
  }

  /** Whether a request with this key and output limit needs no call. */
  answers(key: string, limit: number): boolean {
    return this.#safely(() => {
      const found = this.#database.get(key, 0);
      return found !== undefined && (found.cut === null || limit <= found.cut);
    });
  }

  /** Whole answers of a model, the newest first. */
  past({ provider, model, most }: { provider: string; model: string; most: number }): readonly Past[] {
    return this.#safely(() => {
      const rows = this.#database.sql
        .prepare(
          "SELECT facts, text FROM answers WHERE provider = ? AND model = ? AND cut IS NULL ORDER BY id DESC LIMIT ?",
        )
        .all(provider, model, most);
      return rows.flatMap(({ facts, text }) => {
        const known = JSON.parse(String(facts)) as Facts;
        if ("error" in known) return [];
        return { text: unpacked(text as string | Uint8Array), outputTokens: known.usage.outputTokens };
      });
    });
  }

  close(): void {
    this.#database.close();
  }

  #safely<T>(look: () => T): T {
    try {
      return look();
    } catch (error) {
      throw told(this.#path, error);
    }
  }
}
