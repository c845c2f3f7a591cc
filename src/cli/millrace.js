#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that one too old gets a sentence and not a stack trace.
import { existsSync } from "node:fs";
import module from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `millrace needs Node 22.19 or newer; this is ${process.versions.node}. In a clone, "npm start" and npx bring their own.`,
  );
  process.exitCode = 2;
} else {
  // Half of a start is stripping types and compiling: kept from the first start on, in the folder for temporary files.
  // Where nothing can be written there it changes nothing; NODE_DISABLE_COMPILE_CACHE=1 turns it off.
  module.enableCompileCache();
  // A clone runs as it is written; a package as it was built, since Node strips no types under node_modules.
  const written = new URL("./main.ts", import.meta.url);
  const packaged = /[\\/]node_modules[\\/]/.test(import.meta.url) || !existsSync(written);
  const main = packaged ? new URL("../../dist/cli/main.js", import.meta.url) : written;
  import(main.href).then(({ main }) => main(process.argv));
}
