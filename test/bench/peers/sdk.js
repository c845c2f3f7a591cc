/** One question to the vendor's SDK, as its documentation asks for structured output. */

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { Analysis } from "./schema.js";
import { answered, failed, KEY, MODEL, question } from "./work.js";

/** Retries and time limits are the SDK's own. @param {import("./work.js").Job} job */
export function asker(job) {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${job.url}/openai/v1` });
  const response_format = zodResponseFormat(Analysis, "analysis");
  return async (article) => {
    try {
      const messages = [{ role: "user", content: question(article) }];
      const completion = await client.chat.completions.parse({ model: MODEL, messages, response_format });
      return answered(article, completion.choices[0].message.parsed);
    } catch (error) {
      return failed(article, error);
    }
  };
}
