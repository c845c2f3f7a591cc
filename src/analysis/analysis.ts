/** The built-in article analysis: what it answers, and the schema that the providers are sent. */

export const ENTITY_TYPES = ["person", "organization", "place", "work", "other"] as const;
export const SENTIMENTS = ["negative", "neutral", "positive", "mixed"] as const;

export interface Entity {
  readonly name: string;
  readonly type: (typeof ENTITY_TYPES)[number];
}

/** The same for every provider, the embedded analyser included. */
export interface ArticleAnalysis {
  readonly title: string;
  /** Two to four sentences. */
  readonly summary: string;
  readonly keyPoints: readonly string[];
  readonly topics: readonly string[];
  readonly entities: readonly Entity[];
  readonly sentiment: (typeof SENTIMENTS)[number];
  /** BCP 47, as `en` or `pt-BR`; `und` where it cannot be told. */
  readonly language: string;
}
