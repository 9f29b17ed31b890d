// Azurite's blob store, in memory, on a port of its own choice; the port is written to standard output. It ends with
// standard input, so also where whoever started it is killed.
"use strict";

const BlobConfiguration = require("azurite/dist/src/blob/BlobConfiguration").default;
const BlobServer = require("azurite/dist/src/blob/BlobServer").default;
const { SharedChunkStore } = require("azurite/dist/src/common/persistence/MemoryExtentStore");

const MEBIBYTE = 1024 * 1024;
const A_DAY = 24 * 60 * 60;

process.stdin.on("close", () => process.exit(0)).resume();
SharedChunkStore.setSizeLimit(Number(process.env.SANDBOX_MEBIBYTES) * MEBIBYTE);

const server = new BlobServer(
  Object.assign(new BlobConfiguration("127.0.0.1", 0), {
    disableProductStyleUrl: true,
    enableAccessLog: false,
    isMemoryPersistence: true,
    keepAliveTimeout: A_DAY,
    skipApiVersionCheck: true,
  }),
);
server.start().then(
  () => process.stdout.write(`${new URL(server.getHttpServerAddress()).port}\n`),
  (failure) => {
    process.stderr.write(`${failure.stack}\n`);
    process.exit(1);
  },
);
