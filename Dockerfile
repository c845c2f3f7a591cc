# docker build -t millrace .
# docker run --rm -v "$PWD:/data" -e ANTHROPIC_API_KEY millrace analyze articles.ndjson -o analyses.ndjson

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# Not by `npm run build`: npm scripts take the Node of the npm package `node`, which the image needs no more than its install script.
RUN node node_modules/typescript/bin/tsc --project tsconfig.build.json \
  && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY LICENSE README.md ./
# The launcher runs what was built where there are no sources beside it.
COPY src/cli/millrace.js ./src/cli/millrace.js
# The live page goes to the browser as it is.
COPY src/telemetry/page ./src/telemetry/page
COPY samples ./samples
COPY pipelines ./pipelines
# Files are read and written here; mount a folder that uid 1000 may write to, or say --user.
WORKDIR /data
RUN chown node:node /data
USER node
ENTRYPOINT ["node", "/app/src/cli/millrace.js"]
CMD ["--help"]
