/** What the help says beside the options. */

export const INPUTS = 'files, or patterns in quotes ("archive/*.csv"), read as one; - or none: stdin';

const EXITS = `
Exit codes:
  0  finished                     3    stopped before the end: run it again
  1  finished, too many failed    70   a bug in millrace
  2  a mistake; nothing was sent  130  interrupted (143: SIGTERM); go on`;

const ENVIRONMENT = `
Environment:
  ANTHROPIC_API_KEY, OPENAI_API_KEY, MISTRAL_API_KEY     a key, or several: k1,k2
  ANTHROPIC_BASE_URL, OPENAI_BASE_URL, MISTRAL_BASE_URL  other servers
  MILLRACE_…    any option: the maxCost of --print-config is MILLRACE_MAX_COST
  NO_COLOR      no colours`;

export const MILLRACE_HELP = `
First steps:
  millrace init demo && cd demo
  millrace analyze articles.ndjson -o out/analyses.ndjson
\`millrace <command> --help\` shows the options of a command.`;

export const ANALYZE_HELP = `
Examples:
  millrace analyze articles.ndjson --provider local -o out.ndjson
  millrace analyze posts.csv --map content=body,title=headline -o out.csv
  zcat posts.ndjson.gz | millrace analyze -q --max-cost 5 | jq .analysis
${ENVIRONMENT}
${EXITS}`;

export const RUN_HELP = `
Example:
  millrace run pipeline.ts articles.ndjson -o out/rows.ndjson

The pipeline gets its provider and the options of its calls from those above.
${ENVIRONMENT}
${EXITS}`;
