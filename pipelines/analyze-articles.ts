/** The main job: the built-in analysis of every article, as `millrace analyze` does it. Runs offline too. */

import { analyze, definePipeline } from "millrace";

export default definePipeline({
  description: "Title, summary, key points, topics, entities, sentiment and language of each article",
  stages: ({ provider, options }) => [analyze({ provider, ...options })],
});
