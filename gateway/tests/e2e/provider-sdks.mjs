// The TypeScript SDKs of OpenAI and Anthropic before a provider; prints what they read as JSON, for pytest to judge.
// usage: node provider-sdks.mjs openai|anthropic URL; the working directory holds node_modules.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const [sdk, url] = process.argv.slice(2);
const apiKey = "key-of-a-test";
const messages = [{ role: "user", content: "Hello" }];
const max_tokens = 99;
const TEXT = "mock/plain";
const CALL = "mock/tool?split=1&chunks=9";

async function openai() {
  const { OpenAI } = require("openai");
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  const chat = async (model) => (await client.chat.completions.create({ model, messages })).choices[0].message;
  const chatStream = async (model) =>
    (await client.chat.completions.stream({ model, messages }).finalChatCompletion()).choices[0].message;
  const chatCall = ({ tool_calls: [{ function: it }] }) => [it.name, JSON.parse(it.arguments)];
  const respond = (model) => client.responses.create({ model, input: "Hello" });
  const respondStream = (model) => client.responses.stream({ model, input: "Hello" }).finalResponse();
  const respondCall = ({ output: [it] }) => [it.name, JSON.parse(it.arguments)];
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  return {
    answers: {
      chat: {
        plain: (await chat(TEXT)).content,
        streamed: (await chatStream(TEXT)).content,
        calls: [chatCall(await chat(CALL)), chatCall(await chatStream(CALL))],
      },
      responses: {
        plain: (await respond(TEXT)).output_text,
        streamed: (await respondStream(TEXT)).output_text,
        calls: [respondCall(await respond(CALL)), respondCall(await respondStream(CALL))],
      },
    },
    models,
    status: await chat("mock/429").then(() => 200, (error) => error.status),
    count: (await client.responses.inputTokens.count({ model: "mock/plain?prompt=77", input: "Hello" })).input_tokens,
  };
}

async function anthropic() {
  const { Anthropic } = require("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
  const create = (model) => client.messages.create({ model, max_tokens, messages });
  const stream = (model) => client.messages.stream({ model, max_tokens, messages }).finalMessage();
  const call = ({ content: [it] }) => [it.name, it.input];
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  return {
    answers: {
      messages: {
        plain: (await create(TEXT)).content[0].text,
        streamed: (await stream(TEXT)).content[0].text,
        calls: [call(await create(CALL)), call(await stream(CALL))],
      },
    },
    models,
    status: await create("mock/429").then(() => 200, (error) => error.status),
    count: (await client.messages.countTokens({ model: "mock/plain?prompt=77", messages })).input_tokens,
  };
}

console.log(JSON.stringify(await { openai, anthropic }[sdk]()));
