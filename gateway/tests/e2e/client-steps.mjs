// What each JavaScript client does before the gateway: one object of answers, in the order of the steps. It judges nothing.

const LONG = "trigger-long-running-operation";
const ANNOUNCEMENT_MS = 10_000;

const call = (name, args) => ({ name: "call_tool", arguments: { name, arguments: args } });
const text = (result) => result.content.map((block) => block.text ?? "").join("");

export async function steps(client) {
  const tools = (await client.listTools()).tools;
  const search = await client.callTool({ name: "search_tools", arguments: { query: "convert time between time zones" } });
  const describe = await client.callTool({ name: "describe_tool", arguments: { name: "convert_time" } });
  const direct = await client.callTool({ name: "get-sum", arguments: { a: 2, b: 40 } });
  const meta = await client.callTool(call("echo", { message: "Ada" }));
  const resource = await client.readResource({ uri: "demo://resource/static/document/features.md" });
  const prompts = (await client.listPrompts()).prompts;
  const prompt = await client.getPrompt({ name: "args-prompt", arguments: { city: "Paris", state: "Texas" } });
  const completion = await client.complete({
    ref: { type: "ref/prompt", name: "completable-prompt" },
    argument: { name: "department", value: "E" },
  });
  return {
    tools: tools.map((tool) => tool.name),
    search: text(search),
    describe: text(describe),
    direct: text(direct),
    meta: text(meta),
    resource: resource.contents[0].text,
    prompts: prompts.map((it) => it.name),
    prompt: prompt.messages[0].content.text,
    completion: completion.completion.values,
    progress: await progress(client),
    cancelled: await cancelled(client),
    announced: await announced(client),
  };
}

// Both what reached the client and what it passed on: these clients forget a call at its answer, before they have passed on
// progress that came in the same read.
async function progress(client) {
  const arrived = [];
  const passedOn = [];
  const step = ({ progress, total }) => [progress, total];
  client.onMessage((message) => {
    if (message.method === "notifications/progress") arrived.push(step(message.params));
  });
  const onprogress = (params) => passedOn.push(step(params));
  await client.callTool(call(LONG, { duration: 0.5, steps: 5 }), { onprogress });
  return { arrived, passedOn };
}

// Hears every message that `transport` delivers, before its client does.
export function overhear(transport, heard) {
  const deliver = transport.onmessage;
  transport.onmessage = (message, extra) => {
    heard(message);
    deliver(message, extra);
  };
}

// The reason why a cancelled call failed, and what the next call answers.
async function cancelled(client) {
  const controller = new AbortController();
  const calling = client.callTool(call(LONG, { duration: 60, steps: 60 }), { signal: controller.signal });
  setTimeout(() => controller.abort("changed my mind"), 500);
  const reason = await calling.then(() => "it succeeded", (error) => String(error?.message ?? error));
  return { reason, next: text(await client.callTool(call("echo", { message: "still here" }))) };
}

async function announced(client) {
  const heard = new Promise((resolve) => client.onResourceListChanged(() => resolve(true)).then(() => change(client)));
  const late = new Promise((resolve) => setTimeout(() => resolve(false), ANNOUNCEMENT_MS));
  return Promise.race([heard, late]);
}

const change = (client) =>
  client.callTool(
    call("gzip-file-as-resource", {
      name: `note-${process.hrtime.bigint()}.txt.gz`,
      data: "data:text/plain,hello",
      outputType: "resourceLink",
    }),
  );
