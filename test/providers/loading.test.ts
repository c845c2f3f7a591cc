import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { KEY } from "./vendors.ts";

test.each([
  ["anthropic", "@anthropic-ai/sdk"],
  ["openai", "openai"],
  ["mistral", "@mistralai/mistralai"],
])("importing %s loads neither its SDK nor undici", (file, sdk) => {
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import("./src/providers/${file}.ts");
    console.log(JSON.stringify(loaded.filter((url) => url.includes("node_modules"))));
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(child.stderr).toBe("");
  const loaded: string[] = JSON.parse(child.stdout);
  expect(loaded.filter((url) => url.includes(`/${sdk}/`) || url.includes("/undici/"))).toEqual([]);
});

test("environment variables that SDKs read change neither where a call goes nor with which key, nor do they log it", () => {
  const script = `
    import { createServer } from "node:http";
    const seen = [];
    const server = createServer((req, res) => { seen.push(req.headers.authorization + " " + req.headers["x-api-key"]); res.writeHead(500, { "x-model-deprecation-timestamp": "2030" }).end("{}"); });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = "http://127.0.0.1:" + server.address().port;
    for (const name of ["anthropic", "openai", "mistral"]) {
      const provider = (await import("./src/providers/" + name + ".ts"))[name]({ apiKey: "${KEY}", baseURL: url });
      await provider.complete({ messages: [{ role: "user", content: "PROMPT" }] }, { signal: new AbortController().signal }).catch(() => {});
      await provider.close();
    }
    server.close();
    console.log(seen.length, seen.every((one) => one === "Bearer ${KEY} undefined"));
  `;
  const env = {
    ...process.env,
    ANTHROPIC_BASE_URL: "http://127.0.0.1:1",
    OPENAI_BASE_URL: "http://127.0.0.1:1",
    ANTHROPIC_AUTH_TOKEN: "other-token",
    OPENAI_ADMIN_KEY: "other-admin-key",
    MISTRAL_API_KEY: "other-key",
    MISTRAL_DEBUG: "1",
    ANTHROPIC_LOG: "debug",
    OPENAI_LOG: "debug",
  };
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", env });
  expect(child.stdout).toBe("3 true\n");
  expect(child.stderr).toBe("");
});

test("a model that is to be retired writes nothing to stderr", async () => {
  const script = `
    import { createServer } from "node:http";
    const server = createServer((req, res) => {
      const mistral = { id: "1", object: "o", created: 1, model: "m", choices: [{ index: 0, message: { content: "x" }, finish_reason: "stop" }], usage: {} };
      const anthropic = { content: [], stop_reason: "end_turn", usage: { input_tokens: 1, output_tokens: 1 } };
      res.writeHead(200, { "content-type": "application/json", "x-model-deprecation-timestamp": "2030" });
      res.end(JSON.stringify(req.url.includes("chat") ? mistral : anthropic));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const baseURL = "http://127.0.0.1:" + server.address().port;
    for (const [name, model] of [["anthropic", "claude-3-opus-20240229"], ["mistral", "old"]]) {
      const provider = (await import("./src/providers/" + name + ".ts"))[name]({ apiKey: "k-123456", baseURL, model });
      await provider.complete({ messages: [{ role: "user", content: "x" }] }, { signal: new AbortController().signal });
      await provider.close();
    }
    server.close();
    console.log("done");
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect([child.stdout, child.stderr]).toEqual(["done\n", ""]);
});

test("importing millrace loads neither the prices nor a tokenizer", () => {
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import("./src/index.ts");
    console.log(loaded.filter((url) => /genai-prices|tokenizer/.test(url)).length);
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect([child.stdout, child.stderr]).toEqual(["0\n", ""]);
});
