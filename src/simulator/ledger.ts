/** What really happened, call by call: the oracle that tests hold a run against. */

import type { ProblemKind } from "./problem.ts";
import type { FaultName } from "./traffic/faults.ts";
import type { Vendor } from "./vendors/vendor.ts";

/**
 * How a call ended: `answered` (refused and filtered by marker included), a fault's name, or the problem that the
 * vendor named. `pending`: still under way, or left by the client before anything was decided to be sent.
 */
export type Outcome = "pending" | "answered" | FaultName | ProblemKind;

/** Times are ms since 1970, with a fraction. */
export interface LedgerEntry {
  /** 1 for the first call the simulator ever got. */
  readonly sequence: number;
  vendor: Vendor;
  /** `messages`, `chat/completions` or `responses`. */
  readonly endpoint: string;
  /** Last four characters of the key. */
  readonly key: string;
  /** Empty when the request could not be read; so are the next three (null, null, 0). */
  model: string;
  /** Hash of the first user message. */
  text: string | null;
  /** What a test planted in it (`[[id:XYZ]]` or `"id": "XYZ"`). */
  id: string | null;
  /** Calls with this text so far, this one included. */
  attempt: number;
  outcome: Outcome;
  /** Status that was sent; null when none was. */
  status: number | null;
  /** Billed, that is: at least a part of an answer of the model was sent. */
  inputTokens: number;
  outputTokens: number;
  /** Everything was handed to the network. */
  delivered: boolean;
  /** The client left before the end. */
  aborted: boolean;
  /** Its headers were in. */
  readonly arrivedAt: number;
  /** Its body was in; null when it never was. */
  startedAt: number | null;
  /** Its connection was free again; null while under way. */
  endedAt: number | null;
}

export interface Stats {
  /** Calls received, all of them: the ledger may keep fewer. */
  readonly requests: number;
  /** Calls with a whole answer of the model handed to the network, spoiled ones included. */
  readonly answered: number;
  /** Calls by status sent; `none` for those without. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Calls under way now. */
  readonly inFlight: number;
  readonly peakInFlight: number;
  readonly socketsOpened: number;
  readonly openSockets: number;
  readonly peakSockets: number;
  readonly inputTokensBilled: number;
  readonly outputTokensBilled: number;
  /** Different first user messages seen. */
  readonly texts: number;
  /** Entries that the ledger no longer has. */
  readonly entriesDropped: number;
}

const counted = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

export class Ledger {
  #entries: LedgerEntry[] = [];
  /** Where the next entry goes once all places are taken. */
  #next = 0;
  #size: number;
  #requests = 0;
  #answered = 0;
  #inFlight = 0;
  #peakInFlight = 0;
  #socketsOpened = 0;
  #openSockets = 0;
  #peakSockets = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  readonly #byStatus = new Map<string, number>();
  readonly #byOutcome = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
  }

  get tokensBilled(): number {
    return this.#inputTokens + this.#outputTokens;
  }

  open(facts: Pick<LedgerEntry, "vendor" | "endpoint" | "key" | "arrivedAt">): LedgerEntry {
    const entry: LedgerEntry = {
      sequence: ++this.#requests,
      ...facts,
      model: "",
      text: null,
      id: null,
      attempt: 0,
      outcome: "pending",
      status: null,
      inputTokens: 0,
      outputTokens: 0,
      delivered: false,
      aborted: false,
      startedAt: null,
      endedAt: null,
    };
    this.#keep(entry);
    this.#inFlight++;
    this.#peakInFlight = Math.max(this.#peakInFlight, this.#inFlight);
    return entry;
  }

  /** Books the tokens of an answer that begins to go out. */
  bill(entry: LedgerEntry, usage: { readonly input: number; readonly output: number }): void {
    entry.inputTokens = usage.input;
    entry.outputTokens = usage.output;
    this.#inputTokens += usage.input;
    this.#outputTokens += usage.output;
  }

  /** Ends an entry. */
  close(entry: LedgerEntry, now: number): void {
    entry.endedAt = now;
    this.#inFlight--;
    if (entry.delivered && entry.outputTokens > 0) this.#answered++;
    counted(this.#byStatus, entry.status === null ? "none" : String(entry.status));
    counted(this.#byOutcome, entry.outcome);
  }

  socketOpened(): void {
    this.#socketsOpened++;
    this.#openSockets++;
    this.#peakSockets = Math.max(this.#peakSockets, this.#openSockets);
  }

  socketClosed(): void {
    this.#openSockets--;
  }

  /** Entries from a sequence number on, in order of arrival. */
  list(from = 1): LedgerEntry[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return ordered.filter((entry) => entry.sequence >= from).map((entry) => ({ ...entry }));
  }

  stats(texts: number): Stats {
    return {
      requests: this.#requests,
      answered: this.#answered,
      byStatus: Object.fromEntries(this.#byStatus),
      byOutcome: Object.fromEntries(this.#byOutcome),
      inFlight: this.#inFlight,
      peakInFlight: this.#peakInFlight,
      socketsOpened: this.#socketsOpened,
      openSockets: this.#openSockets,
      peakSockets: this.#peakSockets,
      inputTokensBilled: this.#inputTokens,
      outputTokensBilled: this.#outputTokens,
      texts,
      entriesDropped: this.#requests - this.#entries.length,
    };
  }

  #keep(entry: LedgerEntry): void {
    if (this.#entries.length < this.#size) {
      this.#entries.push(entry);
    } else if (this.#size > 0) {
      this.#entries[this.#next] = entry;
      this.#next = (this.#next + 1) % this.#size;
    }
  }
}
