/**
 * Everything that can go wrong, once: a code says what happened, its row says which kind of error it is and what it
 * means for the record and for the run.
 */

/** The six kinds of the Python original: client, connection, rate limit, response, content, configuration. */
export type ErrorKind = "client" | "connection" | "rate-limit" | "response" | "content" | "configuration";

/**
 * What an error means:
 * - `record`: this record has failed for good; it becomes a dead letter and the others go on.
 * - `retry`: a fault of the moment; the same request may succeed. Counts against `maxRetries`.
 * - `wait`: the provider asked for patience. Uses up no retry; bounded by `maxWait`.
 * - `run`: wrong for every record; the run stops.
 */
export type ErrorScope = "record" | "retry" | "wait" | "run";

const CODES = {
  // The record itself, before any call.
  invalid_json: ["content", "record"],
  /** A row with more or fewer fields than the header. */
  invalid_csv: ["content", "record"],
  invalid_utf8: ["content", "record"],
  not_an_object: ["content", "record"],
  line_too_long: ["content", "record"],
  too_deep: ["content", "record"],
  truncated_line: ["content", "record"],
  missing_content: ["content", "record"],
  unserializable: ["content", "record"],
  /** It lacks the field that tells a database's rows apart. */
  missing_row_key: ["content", "record"],
  /** A user's function threw. */
  stage_failed: ["client", "record"],
  /** A user's function returned `undefined` or `null`; dropping is `filter` or returning `drop`. */
  returned_nothing: ["client", "record"],
  // The provider's answer to one request.
  invalid_request: ["response", "record"],
  request_too_large: ["response", "record"],
  content_filtered: ["content", "record"],
  refused: ["content", "record"],
  invalid_answer: ["response", "record"],
  truncated_answer: ["response", "record"],
  // Faults of the moment.
  timeout: ["connection", "retry"],
  connection_failed: ["connection", "retry"],
  server_error: ["response", "retry"],
  conflict: ["response", "retry"],
  bad_response: ["response", "retry"],
  // Told to wait.
  rate_limited: ["rate-limit", "wait"],
  overloaded: ["rate-limit", "wait"],
  // Wrong for every record.
  authentication_failed: ["client", "run"],
  permission_denied: ["client", "run"],
  unknown_model: ["client", "run"],
  no_credit: ["client", "run"],
  /** The next call could pass the run's own cap on its cost. */
  cost_cap_reached: ["client", "run"],
  schema_rejected: ["client", "run"],
  max_wait_exceeded: ["rate-limit", "run"],
  hopeless: ["response", "run"],
  source_failed: ["client", "run"],
  sink_failed: ["client", "run"],
  /** The store of responses could not be read or written: disk full, I/O error, held by another process. */
  store_failed: ["client", "run"],
  /** Stopped by the caller's signal. */
  aborted: ["client", "run"],
  invalid_option: ["configuration", "run"],
  missing_key: ["configuration", "run"],
  /** A broken promise of millrace's own. */
  internal: ["client", "run"],
} as const satisfies Record<string, readonly [ErrorKind, ErrorScope]>;

export type ErrorCode = keyof typeof CODES;

export const kindOf = (code: ErrorCode): ErrorKind => CODES[code][0];
export const scopeOf = (code: ErrorCode): ErrorScope => CODES[code][1];

/** Facts that travel with an error. None of them holds a key, a prompt or an article's text. */
export interface ErrorFacts {
  readonly cause?: unknown;
  /** HTTP status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** Calls made for the record, the first being 1. 0: none was sent. */
  readonly attempts?: number | undefined;
  /** How long the provider asked to wait, in ms from when its answer arrived. */
  readonly retryAfter?: number | undefined;
  /** The provider's own word (`x-should-retry`) on whether the same request may succeed. */
  readonly shouldRetry?: boolean | undefined;
  /** The provider's name for the call, to quote to its support. */
  readonly requestId?: string | undefined;
  /** Which limit was reached, where the provider's words say so. */
  readonly limit?: "requests" | "input" | "output" | "tokens" | undefined;
  /** The limit headers of the answer that refused, as in `Completion.limits`: a 429 tells them best. */
  readonly limits?: Readonly<Record<string, string>> | undefined;
}

/** The base of every error that millrace throws. Narrow it by class (the six kinds) or by `code`. */
export class MillraceError extends Error {
  override readonly name: string = "MillraceError";
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;
  readonly shouldRetry: boolean | undefined;
  readonly requestId: string | undefined;
  readonly limit: ErrorFacts["limit"];
  readonly limits: Readonly<Record<string, string>> | undefined;
  attempts: number;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.attempts = facts.attempts ?? 0;
    this.retryAfter = facts.retryAfter;
    this.shouldRetry = facts.shouldRetry;
    this.requestId = facts.requestId;
    this.limit = facts.limit;
    this.limits = facts.limits;
  }

  get kind(): ErrorKind {
    return kindOf(this.code);
  }

  get scope(): ErrorScope {
    return scopeOf(this.code);
  }
}

/** What the program, its account or its machine must mend: key, model, credit, a function of its own, a file, a disk. Or a stop. */
export class ClientError extends MillraceError {
  override readonly name = "ClientError";
}
/** No whole answer came: connection lost, or time over. The same may succeed. */
export class ConnectionError extends MillraceError {
  override readonly name = "ConnectionError";
}
/** The provider asked to wait, and the patience allowed (`maxWait`) was over. */
export class RateLimitError extends MillraceError {
  override readonly name = "RateLimitError";
}
/** An answer came that is of no use: refused as a request, a fault of the server, against the schema, cut. */
export class ResponseError extends MillraceError {
  override readonly name = "ResponseError";
}
/** It lies with the record or with what the model may say of it: broken line, no text, refused, filtered. */
export class ContentError extends MillraceError {
  override readonly name = "ContentError";
}
/** An option, a file or a key that cannot be meant. */
export class ConfigurationError extends MillraceError {
  override readonly name = "ConfigurationError";
}

const CLASSES = {
  client: ClientError,
  connection: ConnectionError,
  "rate-limit": RateLimitError,
  response: ResponseError,
  content: ContentError,
  configuration: ConfigurationError,
} as const satisfies Record<ErrorKind, typeof MillraceError>;

/** Makes the error of the class that its code belongs to. */
export function failure(code: ErrorCode, message: string, facts: ErrorFacts = {}): MillraceError {
  return new CLASSES[kindOf(code)](code, message, facts);
}

export const isMillraceError = (error: unknown): error is MillraceError => error instanceof MillraceError;
