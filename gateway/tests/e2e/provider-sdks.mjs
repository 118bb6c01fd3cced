// The TypeScript SDKs of OpenAI and Anthropic before a provider, or before a gateway with several behind it; prints what
// they read as JSON, for pytest to judge.
// usage: node provider-sdks.mjs openai|anthropic URL [PREFIX...]; each prefix of models is one provider, and the working
// directory holds node_modules.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const [sdk, url, ...prefixes] = process.argv.slice(2);
const apiKey = "key-of-a-test";
const messages = [{ role: "user", content: "Hello" }];
const max_tokens = 99;
const TEXT = "mock/plain";
const CALL = "mock/tool?split=1&chunks=9";
const CALLS = "mock/tools?n=3&split=7";

// What one API says of one provider: `whole` and `streamed` ask it, `text` and `calls` read its answer.
async function ask({ whole, streamed, text, calls }, prefix) {
  const both = async (model, read) => [read(await whole(prefix + model)), read(await streamed(prefix + model))];
  const status = (model, how) => how(prefix + model).then(() => 200, (error) => error.status);
  return {
    text: await both(TEXT, text),
    call: await both(CALL, calls),
    parallel: await both(CALLS, calls),
    status: [await status("mock/429", whole), await status("mock/500", streamed)],
  };
}

async function openai() {
  const { OpenAI } = require("openai");
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  const chat = {
    whole: async (model) => (await client.chat.completions.create({ model, messages })).choices[0].message,
    streamed: async (model) =>
      (await client.chat.completions.stream({ model, messages }).finalChatCompletion()).choices[0].message,
    text: (message) => message.content,
    calls: (message) => message.tool_calls.map((it) => [it.function.name, JSON.parse(it.function.arguments)]),
  };
  const responses = {
    whole: (model) => client.responses.create({ model, input: "Hello" }),
    streamed: (model) => client.responses.stream({ model, input: "Hello" }).finalResponse(),
    text: (response) => response.output_text,
    calls: (response) => response.output.map((it) => [it.name, JSON.parse(it.arguments)]),
  };
  const count = async (model) => (await client.responses.inputTokens.count({ model, input: "Hello" })).input_tokens;
  return { apis: { chat, responses }, count, models: client.models };
}

async function anthropic() {
  const { Anthropic } = require("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
  const api = {
    whole: (model) => client.messages.create({ model, max_tokens, messages }),
    streamed: (model) => client.messages.stream({ model, max_tokens, messages }).finalMessage(),
    text: (message) => message.content[0].text,
    calls: (message) => message.content.map((it) => [it.name, it.input]),
  };
  const count = async (model) => (await client.messages.countTokens({ model, messages })).input_tokens;
  return { apis: { messages: api }, count, models: client.models };
}

const { apis, count, models } = await { openai, anthropic }[sdk]();
const seen = { answers: {}, counts: {}, models: [] };
for (const prefix of prefixes.length ? prefixes : [""]) {
  seen.counts[prefix] = await count(`${prefix}mock/plain?prompt=77`);
  seen.answers[prefix] = {};
  for (const [name, api] of Object.entries(apis)) seen.answers[prefix][name] = await ask(api, prefix);
}
for await (const model of models.list()) seen.models.push(model.id);
console.log(JSON.stringify(seen));
