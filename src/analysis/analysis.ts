/** The built-in article analysis: what it answers, and the schema that the providers are sent. */

const ENTITY_TYPES = ["person", "organization", "place", "work", "other"] as const;
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

/** The schema's name where a vendor asks for one. */
export const ARTICLE_SCHEMA_NAME = "article_analysis";

/**
 * `ArticleAnalysis` as JSON Schema. It keeps to what Anthropic's structured outputs, OpenAI's strict mode and Mistral
 * all take: every property required, no further ones, and neither lengths, counts nor formats. Those are asked for in
 * the descriptions, which the models read.
 */
export const ARTICLE_SCHEMA = {
  type: "object",
  properties: {
    title: {
      type: "string",
      description: "The article's title as given. If it has none: a plain title of at most 12 words, in its language.",
    },
    summary: {
      type: "string",
      description:
        "What the article says, in 2 to 4 complete sentences, in its language, for someone who will not read it.",
    },
    keyPoints: {
      type: "array",
      description:
        "3 to 6 facts or arguments that matter, the weightiest first: one short sentence each, in its language.",
      items: { type: "string" },
    },
    topics: {
      type: "array",
      description:
        "3 to 6 subjects, the main one first: noun phrases of 1 to 3 words, in its language, lower case but names.",
      items: { type: "string" },
    },
    entities: {
      type: "array",
      description: "The people, organizations, places and works the article names: each once. Empty if there are none.",
      items: {
        type: "object",
        properties: {
          name: {
            type: "string",
            description: "The fullest form of the name in the article, without titles such as Dr.",
          },
          type: {
            type: "string",
            enum: ENTITY_TYPES,
            description: "work: a book, film, law, ship or the like with a name. other: a name of any other kind.",
          },
        },
        required: ["name", "type"],
        additionalProperties: false,
      },
    },
    sentiment: {
      type: "string",
      enum: SENTIMENTS,
      description:
        "How the article presents its subject. mixed: good and bad both weigh. neutral: it reports without either.",
    },
    language: {
      type: "string",
      description:
        "The language of the article's text as a BCP 47 tag, such as en, de or pt-BR; und if it cannot be told.",
    },
  },
  required: ["title", "summary", "keyPoints", "topics", "entities", "sentiment", "language"],
  additionalProperties: false,
} as const;
