/** What the tests of the high-level clients share. */

import {
  type ArticleAnalysis,
  type ArticleClient,
  ClaudeClient,
  type ClientOptions,
  MistralClient,
  OpenAIClient,
} from "../../src/index.ts";
import { baseURL, KEY, type VendorName } from "../support.ts";

export const CLASSES = { anthropic: ClaudeClient, openai: OpenAIClient, mistral: MistralClient } as const;

/** A client of a vendor that calls a simulator; whoever makes it closes it. */
export const clientOf = (vendor: VendorName, url: string, options: ClientOptions = {}): ArticleClient =>
  new CLASSES[vendor]({ apiKey: KEY, baseURL: baseURL(url, vendor), retryBaseDelay: 5, ...options });

/** The id that the simulator found in the article and put into its answer. */
export const idOf = (analysis: ArticleAnalysis | null): string | undefined =>
  / (a\d+)\b/.exec(analysis?.summary ?? "")?.[1];

/** What a promise rejects with. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It was expected to fail.");
}
