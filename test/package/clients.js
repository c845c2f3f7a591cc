// A user's script in JavaScript: the high-level clients.
import { ClaudeClient, createClientFromConfig, MillraceError, processArticles, processArticlesSync } from "millrace";

const articles = Array.from({ length: 6 }, (_, index) => ({
  title: `About a${index}`,
  content: `[[id:a${index}]] some plain words`,
}));

const client = new ClaudeClient({ maxConcurrent: 3 });
const one = await client.analyzeArticle({ title: "One", content: "some plain words" });
const many = await client.batchAnalyze([...articles, null]);
const connected = await client.testConnection();
await client.close();

const configured = createClientFromConfig({ provider: "openai", api: { RATE_LIMIT_DELAY: 0, MAX_RETRIES: 2 } });
const { provider } = configured.providerInfo();
await configured.close();

const processed = await processArticles(articles, { provider: "openai", batchSize: 4 });
const blocking = processArticlesSync(articles, { provider: "mistral" });

/** @type {unknown} */
let refused;
try {
  processArticlesSync(articles, { provider: "mistral", apiKey: "sk-wrong" });
} catch (error) {
  refused = error instanceof MillraceError ? [error.name, error.code] : error;
}

console.log(
  JSON.stringify({
    one: typeof one.summary,
    many: many.map((analysis) => typeof analysis?.summary),
    connected,
    provider,
    processed: processed.length,
    blocking: blocking.filter((analysis) => analysis !== null).length,
    refused,
  }),
);
