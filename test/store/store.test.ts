/** The file itself: durable, private, shared, and mended when it is damaged. */

import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { Database, type Row } from "../../src/store/database.ts";
import { networkName } from "../../src/store/place.ts";
import { Store } from "../../src/store/store.ts";
import { onWarning } from "../../src/warn.ts";
import { endOf, folder, ROOT } from "../support.ts";
import { caught } from "../transforms/own-provider.ts";

const key = (number: number) => number.toString(16).padStart(64, "0");
const facts = { finishReason: "stop", usage: { inputTokens: 1, outputTokens: 2 }, model: "m" };
const row = (number: number, text = `answer ${number} `.repeat(150)): Row => ({
  key: key(number),
  provider: "p",
  model: "m",
  outcome: { facts, text, cut: null },
});

async function opened(path: string): Promise<Store> {
  const store = await Store.open(path);
  onTestFinished(() => store.close());
  return store;
}

/** A closed store with so many answers in it. */
async function filled(count: number): Promise<string> {
  const path = join(folder(), "responses.db");
  const store = await Store.open(path);
  await Promise.all(Array.from({ length: count }, (_, number) => store.put(row(number))));
  await store.close();
  return path;
}

function warned(): string[] {
  const told: string[] = [];
  onTestFinished(onWarning((message) => told.push(message)));
  return told;
}

describe("a store", () => {
  test("is private, in a folder of its own that no version control takes in", async () => {
    const path = join(folder(), ".millrace/responses.db");
    const store = await opened(path);
    await store.put(row(1));
    for (const ending of ["", "-wal", "-shm"]) expect(statSync(path + ending).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dirname(path), ".gitignore"), "utf8")).toBe("*\n");
  });

  test("in a folder that was there hides itself only, makes itself private, and leaves the user's list alone", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "own.db"), "", { mode: 0o644 });
    await opened(join(cwd, "own.db"));
    expect(statSync(join(cwd, "own.db")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(cwd, ".gitignore"), "utf8")).toBe("/own.db*\n");
    const other = folder();
    writeFileSync(join(other, ".gitignore"), "node_modules\n");
    await opened(join(other, "own.db"));
    expect(readFileSync(join(other, ".gitignore"), "utf8")).toBe("node_modules\n");
  });

  test("is shared by all who open it in one process, and closed with the last of them", async () => {
    const path = join(folder(), "s.db");
    const [one, two] = [await Store.open(path), await Store.open(path)];
    expect(one).toBe(two);
    await one.close();
    await two.put(row(1));
    expect(two.get(key(1))).toMatchObject({ facts });
    await two.close();
    expect(readdirSync(dirname(path)).sort()).toEqual([".gitignore", "s.db"]);
  });

  test("gives an answer on only when it is synced to disk", async () => {
    const path = join(folder(), "s.db");
    const program = `
      import { Store } from ${JSON.stringify(join(ROOT, "src/store/store.ts"))};
      import { writeSync } from "node:fs";
      const store = await Store.open(${JSON.stringify(path)});
      const put = async (n) => {
        await store.put({ key: n.toString(16).padStart(64, "0"), provider: "p", model: "m",
          outcome: { facts: {}, text: "MARK" + n + "KRAM", cut: null } });
        writeSync(1, "GAVE" + n + "EVAG\\n");
      };
      for (let n = 10; n < 90; n += 40) await Promise.all(Array.from({ length: 40 }, (_, i) => put(n + i)));
      await store.close();`;
    const file = join(dirname(path), "program.ts");
    writeFileSync(file, program);
    if (spawnSync("strace", ["-V"]).error !== undefined) return;
    const trace = join(dirname(path), "trace");
    const watch = ["-f", "-s", "70000", "-o", trace, "-e", "trace=write,writev,pwrite64,fsync,fdatasync"];
    const { code } = await endOf(spawn("strace", [...watch, process.execPath, file]));
    expect(code).toBe(0);
    // Which answers are written but not synced, as the calls come; one is given on only when it is neither.
    const unsynced = new Set<string>();
    let given = 0;
    for (const line of readFileSync(trace, "utf8").split("\n")) {
      if (/f(?:data)?sync\(/.test(line)) unsynced.clear();
      for (const [, number = ""] of line.matchAll(/MARK(\d\d)KRAM/g)) unsynced.add(number);
      for (const [, number = ""] of line.matchAll(/GAVE(\d\d)EVAG/g)) {
        expect(unsynced.has(number)).toBe(false);
        given++;
      }
    }
    expect(given).toBe(80);
  });

  test("puts down at its close what waits, and nothing of a process that dies before is half there", async () => {
    const path = join(folder(), "s.db");
    const store = await Store.open(path);
    const puts = Array.from({ length: 100 }, (_, number) => store.put(row(number)));
    await store.close();
    await Promise.all(puts);
    const again = await opened(path);
    expect(again.began).toBe(100);
    expect(again.get(key(99))).toMatchObject({ text: row(99).outcome.text });
  });

  test("serves two processes at once", async () => {
    const path = join(folder(), "s.db");
    const file = join(dirname(path), "program.ts");
    writeFileSync(
      file,
      `import { Store } from ${JSON.stringify(join(ROOT, "src/store/store.ts"))};
      const store = await Store.open(${JSON.stringify(path)});
      const from = Number(process.argv[2]);
      for (let n = from; n < from + 1000; n += 10)
        await Promise.all(Array.from({ length: 10 }, (_, i) => store.put({ key: (n + i).toString(16).padStart(64, "0"),
          provider: "p", model: "m", outcome: { facts: {}, text: "t".repeat(2000), cut: null } })));
      await store.close();`,
    );
    const runs = [0, 500, 2_000].map((from) => endOf(spawn(process.execPath, [file, String(from)])));
    for (const { code, stderr } of await Promise.all(runs)) expect([code, stderr]).toEqual([0, ""]);
    const database = new DatabaseSync(path);
    expect(database.prepare("SELECT count(*) AS n FROM answers").get()).toEqual({ n: 2_500 });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  });

  test("reads what another has written since, and writes in between", async () => {
    const path = await filled(1);
    const [ours, theirs] = [new Database(path), new Database(path)];
    onTestFinished(() => {
      for (const database of [ours, theirs]) database.close();
    });
    for (let number = 10; number < 30; number += 2) {
      expect(ours.get(key(number), 0)).toBeUndefined();
      theirs.putAll([row(number)], 0);
      // In the same turn, after a read that knows nothing of it.
      ours.putAll([row(number + 1)], 0);
      expect([ours.get(key(number), 0)?.text, theirs.get(key(number + 1), 0)?.text]).toEqual([
        row(number).outcome.text,
        row(number + 1).outcome.text,
      ]);
      theirs.get(key(1), 0);
      ours.putAll([row(number + 100)], 0);
      await new Promise(setImmediate);
      expect(theirs.get(key(number + 100), 0)?.text).toBe(row(number + 100).outcome.text);
    }
  });

  test("held by another process waits without holding up its own", async () => {
    const path = await filled(1);
    const store = await opened(path);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const ticking = setInterval(() => turns++, 5);
    const put = store.put(row(2));
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(ticking);
    other.exec("COMMIT");
    other.close();
    await put;
    expect(turns).toBeGreaterThan(5);
    expect(store.get(key(2))).toBeDefined();
  });

  test("that cannot be written is refused before anything is asked", async () => {
    const cwd = folder();
    mkdirSync(join(cwd, "dir.db"));
    writeFileSync(join(cwd, "file"), "");
    for (const path of ["dir.db", "file/s.db"]) {
      const error = await caught(Store.open(join(cwd, path)));
      expect(error).toMatchObject({ code: "invalid_option", message: expect.stringContaining("--no-store") });
    }
    if (process.getuid?.() === 0) return;
    chmodSync(cwd, 0o500);
    expect(await caught(Store.open(join(cwd, "s.db")))).toMatchObject({ code: "invalid_option" });
  });

  test("of a newer millrace, and a database of another program, are refused and left as they are", async () => {
    const newer = await filled(3);
    const foreign = join(folder(), "f.db");
    for (const [path, sql, word] of [
      [newer, "PRAGMA user_version = 99", "newer"],
      [foreign, "CREATE TABLE mine (a)", "another program"],
    ] as const) {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
      const error = await caught(Store.open(path));
      expect(error).toMatchObject({ code: "invalid_option", message: expect.stringContaining(word) });
      expect(readdirSync(dirname(path)).filter((name) => name.includes("damaged"))).toEqual([]);
    }
  });

  test("knows network file systems by their number", () => {
    expect([0x6969, 0xff534d42, 0x65735546, 0xef53].map(networkName)).toEqual(["NFS", "SMB", "FUSE", undefined]);
  });

  test("that fails to write fails the put for good, and keeps what was stored before", async () => {
    const path = await filled(3);
    const other = new DatabaseSync(path);
    other.exec("CREATE TRIGGER no BEFORE INSERT ON answers BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END");
    other.close();
    const store = await Store.open(path);
    const error = await caught(store.put(row(4)));
    expect(error).toMatchObject({ code: "store_failed", scope: "run", message: expect.stringContaining("disk I/O") });
    expect(store.get(key(2))).toBeDefined();
    await store.close();
  });
});

describe("a damaged store", () => {
  const asides = (path: string) => readdirSync(dirname(path)).filter((name) => /\.damaged-[-\dT]+$/.test(name));

  test("that is no database is set aside, and a new one takes its place", async () => {
    for (const content of ["this is no database at all\n".repeat(100), Buffer.alloc(8_192, 7)]) {
      const path = join(folder(), "s.db");
      writeFileSync(path, content);
      const told = warned();
      const store = await opened(path);
      await store.put(row(1));
      expect(store.get(key(1))).toBeDefined();
      expect(asides(path)).toHaveLength(1);
      expect(readFileSync(join(dirname(path), asides(path)[0] ?? ""))).toEqual(Buffer.from(content));
      expect(told).toEqual([expect.stringMatching(/is damaged .* set aside as .*damaged-.* 0 answers/s)]);
    }
  });

  test("with torn pages gives no wrong answer, and what can be read of it is kept", async () => {
    const path = await filled(500);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 40 * 4_096, 60 * 4_096);
    writeFileSync(path, bytes);
    const told = warned();
    const store = await opened(path);
    let found = 0;
    for (let number = 0; number < 500; number++) {
      const outcome = await store.get(key(number));
      if (outcome === undefined) continue;
      found++;
      expect(outcome.text).toBe(row(number).outcome.text);
    }
    expect(asides(path)).toHaveLength(1);
    expect(told[0]).toContain("damaged");
    expect(found).toBeGreaterThan(300);
    expect(found).toBeLessThan(500);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("with one changed letter in an answer does not give that answer", async () => {
    const path = await filled(50);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf("answer 7 ")] = 0x41;
    writeFileSync(path, bytes);
    warned();
    const store = await opened(path);
    expect(await store.get(key(7))).toBeUndefined();
    expect(await store.get(key(8))).toBeDefined();
    expect(asides(path)).toHaveLength(1);
    await store.put(row(7));
    expect(store.get(key(7))).toMatchObject({ text: row(7).outcome.text });
  });

  test("that was cut short, or lost its table, is set aside", async () => {
    const short = await filled(100);
    truncateSync(short, 3 * 4_096);
    const bare = await filled(1);
    const database = new DatabaseSync(bare);
    database.exec("DROP TABLE answers");
    database.close();
    for (const path of [short, bare]) {
      warned();
      const store = await opened(path);
      await store.put(row(1));
      expect(await store.get(key(1))).toMatchObject({ facts });
      expect(asides(path)).toHaveLength(1);
      expect(existsSync(path)).toBe(true);
    }
  });
});
