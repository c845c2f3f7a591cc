/** What each vendor's provider does when it is not told otherwise; as the vendors' pages say on 2026-11-22. */

export interface Vendor {
  readonly name: "anthropic" | "openai" | "mistral";
  /** As people write it. */
  readonly label: string;
  /** The default model: the vendor's small one, made for many cheap calls. */
  readonly model: string;
  /** The default output limit in tokens: several times what the built-in analysis needs. */
  readonly maxOutputTokens: number;
  readonly keyVariable: string;
  readonly baseURLVariable: string;
  /** As the vendor's SDK takes it: OpenAI's ends in `/v1`, the others do not. */
  readonly baseURL: string;
}

export const VENDORS = {
  anthropic: {
    name: "anthropic",
    label: "Anthropic",
    // platform.claude.com/docs/models: takes `temperature`, which Haiku 5.5 refuses.
    model: "claude-haiku-4-5",
    maxOutputTokens: 4_096,
    keyVariable: "ANTHROPIC_API_KEY",
    baseURLVariable: "ANTHROPIC_BASE_URL",
    baseURL: "https://api.anthropic.com",
  },
  openai: {
    name: "openai",
    label: "OpenAI",
    // developers.openai.com/api/docs/models/gpt-6-luna: "high-volume tasks", $0.10 in and $0.50 out per million tokens.
    model: "gpt-6-luna",
    // Its reasoning tokens (effort `medium` by default) come out of this limit as well.
    maxOutputTokens: 8_192,
    keyVariable: "OPENAI_API_KEY",
    baseURLVariable: "OPENAI_BASE_URL",
    baseURL: "https://api.openai.com/v1",
  },
  mistral: {
    name: "mistral",
    label: "Mistral",
    model: "mistral-small-latest",
    maxOutputTokens: 4_096,
    keyVariable: "MISTRAL_API_KEY",
    baseURLVariable: "MISTRAL_BASE_URL",
    baseURL: "https://api.mistral.ai",
  },
} as const satisfies Record<string, Vendor>;
