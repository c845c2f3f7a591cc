/** `node store.js <job>`: answers of 2 kB put into the store, many at a time, and asked for again, one after the other. */

const { millrace, path, count } = JSON.parse(process.argv[2] ?? "");
const { Store } = await import(new URL("store/store.js", millrace).href);
const { keyOf } = await import(new URL("client/key.js", millrace).href);
const { openai } = await import(millrace);

/** Puts under way at once, as many calls that end together. */
const TOGETHER = 100;

const provider = openai({ apiKey: "none", model: "bench", baseURL: "http://127.0.0.1:9/v1" });
const keys = Array.from({ length: count }, (_, id) =>
  keyOf(provider, { messages: [{ role: "user", content: `Article ${id}` }] }),
);
const facts = { finishReason: "stop", usage: { inputTokens: 500, outputTokens: 400 }, model: "bench", requestId: "r" };
const text = (/** @type {number} */ id) =>
  JSON.stringify({ summary: `Number ${id}: ${"some words of it ".repeat(118)}` });

const store = await Store.open(path);
let begun = performance.now();
let next = 0;
const putter = async () => {
  while (next < count) {
    const id = next++;
    const outcome = { facts, text: text(id), cut: null };
    await store.put({ key: keys[id], provider: "openai", model: "bench", outcome });
  }
};
await Promise.all(Array.from({ length: TOGETHER }, putter));
const puts = count / ((performance.now() - begun) / 1_000);
await store.close();

const again = await Store.open(path);
begun = performance.now();
for (const key of keys) if ((await again.get(key)) === undefined) throw new Error("It is not stored.");
const hits = count / ((performance.now() - begun) / 1_000);
await again.close();
console.log(JSON.stringify({ puts, hits }));
