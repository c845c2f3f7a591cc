/** What is asked of an article, for those who take Zod; `schema.json` says the same for those who take JSON Schema. */

import { z } from "zod";

export const Analysis = z.object({
  title: z.string(),
  summary: z.string(),
  keyPoints: z.array(z.string()),
  topics: z.array(z.string()),
  sentiment: z.enum(["negative", "neutral", "positive", "mixed"]),
  language: z.string(),
});
