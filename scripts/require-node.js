// Plain JavaScript on purpose: it must run on whatever Node npm brought along, to say which one is missing.

const WANTED = 26;
const major = Number(process.versions.node.split('.')[0]);

if (major < WANTED) {
  console.error(
    `Keyhole needs Node ${WANTED}, this is ${process.versions.node} (${process.platform}-${process.arch}).\n` +
      'npm ci installs it for common platforms as an optional dependency, which seems to have been left out:\n' +
      `run "npm ci --include=optional", or put Node ${WANTED} or newer first in PATH.`,
  );
  process.exit(2);
}
