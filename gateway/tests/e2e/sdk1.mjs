// The client of @modelcontextprotocol/sdk 1.x (2025-11-25) before the gateway; prints what it saw as JSON, for pytest to judge.
// usage: node sdk1.mjs http URL | node sdk1.mjs stdio COMMAND [ARGUMENT...]; the working directory holds node_modules.

import { createRequire } from "node:module";
import { overhear, steps } from "./client-steps.mjs";

const require = createRequire(`${process.cwd()}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { ResourceListChangedNotificationSchema } = require("@modelcontextprotocol/sdk/types.js");

const [kind, target, ...args] = process.argv.slice(2);
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args, env: process.env });

const client = new Client({ name: "tollgate-e2e-sdk1", version: "1" });
await client.connect(transport);

const seen = await steps({
  onMessage: (heard) => overhear(transport, heard),
  listTools: () => client.listTools(),
  listPrompts: () => client.listPrompts(),
  callTool: (params, options) => client.callTool(params, undefined, options),
  readResource: (params) => client.readResource(params),
  getPrompt: (params) => client.getPrompt(params),
  complete: (params) => client.complete(params),
  onResourceListChanged: async (heard) =>
    client.setNotificationHandler(ResourceListChangedNotificationSchema, heard),
});
seen.protocolVersion = transport.protocolVersion ?? "2025-11-25";
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);
