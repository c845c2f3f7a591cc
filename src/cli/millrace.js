#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that one too old gets a sentence and not a stack trace.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `millrace needs Node 22.19 or newer; this is ${process.versions.node}. In a clone, "npm start" and npx bring their own.`,
  );
  process.exitCode = 2;
} else {
  // A package is run as it was built; a clone as it is written, since Node strips types outside node_modules.
  const built = /[\\/]node_modules[\\/]/.test(import.meta.url) || import.meta.url.includes("/dist/");
  const main = built ? new URL("../../dist/cli/main.js", import.meta.url) : new URL("./main.ts", import.meta.url);
  import(main.href).then(({ main }) => main(process.argv));
}
