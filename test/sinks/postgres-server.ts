/** A real Postgres (PGlite: Postgres in WebAssembly) behind a socket, that can be stopped and started. */

import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

export interface PostgresServer {
  readonly database: PGlite;
  readonly url: string;
  /** Cuts every connection, and takes no new one. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function postgresServer(): Promise<PostgresServer> {
  const database = await PGlite.create();
  // One session stands behind all connections; more than one, so that the next may come before the last one is gone.
  const listen = async (port: number) => {
    const made = new PGLiteSocketServer({ db: database, host: "127.0.0.1", port, maxConnections: 5 });
    await made.start();
    return made;
  };
  let server: PGLiteSocketServer | undefined = await listen(0);
  const place = server.getServerConn();
  const port = Number(place.split(":").at(-1));
  const stop = async () => {
    await server?.stop();
    server = undefined;
  };
  return {
    database,
    url: `postgres://postgres@${place}/postgres`,
    stop,
    async start() {
      server ??= await listen(port);
    },
    async close() {
      await stop();
      await database.close();
    },
  };
}
