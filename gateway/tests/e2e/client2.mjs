// The client of @modelcontextprotocol/client 2.x before the gateway, in either era; prints what it saw as JSON, for pytest to judge.
// usage: node client2.mjs legacy|modern http URL | node client2.mjs legacy|modern stdio COMMAND [ARGUMENT...]

import { createRequire } from "node:module";
import { overhear, steps } from "./client-steps.mjs";

const require = createRequire(`${process.cwd()}/`);
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");

const [era, kind, target, ...args] = process.argv.slice(2);
const mode = era === "modern" ? { pin: "2026-07-28" } : "legacy";
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args, env: process.env });

const client = new Client({ name: "tollgate-e2e-client2", version: "1" }, { versionNegotiation: { mode } });
await client.connect(transport);

const seen = await steps({
  onMessage: (heard) => overhear(transport, heard),
  listTools: () => client.listTools(),
  listPrompts: () => client.listPrompts(),
  callTool: (params, options) => client.callTool(params, options),
  readResource: (params) => client.readResource(params),
  getPrompt: (params) => client.getPrompt(params),
  complete: (params) => client.complete(params),
  onResourceListChanged: async (heard) => {
    client.setNotificationHandler("notifications/resources/list_changed", heard);
    if (era === "modern") await client.listen({ resourcesListChanged: true });
  },
});
seen.protocolVersion = client.getNegotiatedProtocolVersion();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);
