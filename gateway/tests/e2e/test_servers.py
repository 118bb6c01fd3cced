"""Published servers behind the gateway and the Python client before it, in both eras and over both transports."""

import asyncio
import contextlib
import json
import time

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.subscriptions import ResourcesListChanged
from mcp_types import PromptReference

from servers import BUDGET_TOKENS, document
from tollgate import LEGAL_NAME, MAX_BYTES_A_TOKEN, META_TOOLS, TOLLGATE, bytes_for_the_model, environment

pytestmark = pytest.mark.anyio

TOOLS_OF_ALL_SERVERS = 50
"""`everything` has more for clients that declare more."""

LEGACY, MODERN = "2025-11-25", "2026-07-28"


@pytest.fixture(params=["http modern", "http legacy", "stdio modern", "stdio legacy"])
def connect(request, published):
    """Connects the Python client; `connect("all")` takes the profile without a budget."""
    transport, era = request.param.split()
    mode = {"modern": "auto", "legacy": "legacy"}[era]

    @contextlib.asynccontextmanager
    async def connected(profile="default", **callbacks):
        server = published.url(profile)
        if transport == "stdio":
            arguments = ["mcp", "--config", str(published.config), "--profile", profile]
            home = published.config.parent
            server = StdioServerParameters(command=TOLLGATE, args=arguments, env=environment(home), cwd=home)
        async with Client(server, mode=mode, read_timeout_seconds=60, **callbacks) as client:
            assert client.protocol_version == (MODERN if era == "modern" else LEGACY)
            yield client

    return connected


def text(result):
    assert not result.is_error, result.content
    return "".join(block.text for block in result.content)


async def call(client, tool, /, **arguments):
    """Calls a tool by the meta-tool, as an agent that found it by search does."""
    return await client.call_tool("call_tool", {"name": tool, "arguments": arguments})


async def names(client):
    return [tool.name for tool in (await client.list_tools()).tools]


async def test_the_list_keeps_to_its_budget_and_the_whole_list_is_there_too(connect):
    async with connect("all") as client:
        everything = (await client.list_tools()).tools
        real = [tool.name for tool in everything if tool.name not in META_TOOLS]
        assert len(real) == len(set(real)) >= TOOLS_OF_ALL_SERVERS
        assert {"echo", "git_status", "read_graph", "get_current_time", "list_allowed_directories"} <= set(real)
        assert [name for name in real if not LEGAL_NAME.fullmatch(name)] == []
    async with connect() as client:
        listed = (await client.list_tools()).tools
        assert {tool.name for tool in listed} >= META_TOOLS
        seen = bytes_for_the_model([tool.model_dump(mode="json", by_alias=True) for tool in listed])
        assert seen < BUDGET_TOKENS * MAX_BYTES_A_TOKEN


async def test_an_agent_searches_describes_and_calls(connect):
    async with connect() as client:
        found = text(await client.call_tool("search_tools", {"query": "convert a time between two time zones"}))
        assert "convert_time" in found
        described = json.loads(text(await client.call_tool("describe_tool", {"name": "convert_time"})))
        assert described["name"] == "convert_time"
        assert set(described["inputSchema"]["required"]) == {"source_timezone", "time", "target_timezone"}
        zones = {"source_timezone": "Asia/Tokyo", "target_timezone": "UTC"}
        converted = json.loads(text(await call(client, "convert_time", time="12:30", **zones)))
        assert converted["target"]["datetime"].endswith("T03:30:00+00:00")


async def test_every_server_answers_by_its_tools_own_names_listed_or_not(connect, published):
    folder = published.config.parent
    repository, files = str(folder / "repository"), str(folder / "files")
    calls = [
        ("get-sum", {"a": 2, "b": 40}, "42"),
        ("list_allowed_directories", {}, files),
        ("read_text_file", {"path": f"{files}/greeting.txt"}, "hello from a file"),
        ("git_status", {"repo_path": repository}, "second.txt"),
        ("git_log", {"repo_path": repository, "max_count": 5}, "Add the first file"),
        ("get_current_time", {"timezone": "Europe/Paris"}, "Europe/Paris"),
        ("search_nodes", {"query": "nobody knows"}, "entities"),
    ]
    async with connect() as client:
        listed = set(await names(client))
        for name, arguments, expected in calls:
            assert expected in text(await client.call_tool(name, arguments)), name
            assert expected in text(await call(client, name, **arguments)), name
        assert {name for name, _, _ in calls} - listed, "all of these are listed; lower the budget"


async def test_structured_content_comes_with_the_text(connect):
    async with connect() as client:
        await client.list_tools()
        result = await client.call_tool("get-structured-content", {"location": "Chicago"})
        assert result.structured_content == json.loads(text(result))
        assert set(result.structured_content) == {"temperature", "conditions", "humidity"}


async def test_writes_are_kept_between_calls_and_clients(connect, request):
    entity = {"name": request.node.name, "entityType": "test", "observations": ["was written through the gateway"]}
    async with connect() as client:
        await call(client, "create_entities", entities=[entity])
    async with connect() as client:
        opened = json.loads(text(await call(client, "open_nodes", names=[entity["name"]])))
        assert [found["observations"] for found in opened["entities"]] == [entity["observations"]]
        await call(client, "delete_entities", entityNames=[entity["name"]])


async def test_a_tools_own_error_is_passed_on(connect):
    async with connect() as client:
        result = await call(client, "read_text_file", path="/etc/hostname")
        assert result.is_error
        assert "outside allowed directories" in result.content[0].text


async def test_resources_are_listed_and_read(connect):
    uri = "demo://resource/static/document/features.md"
    async with connect() as client:
        listed, cursor = [], None
        while True:
            page = await client.list_resources(cursor=cursor)
            listed += [str(resource.uri) for resource in page.resources]
            cursor = page.next_cursor
            if not cursor:
                break
        assert uri in listed
        [contents] = (await client.read_resource(uri)).contents
        assert contents.text == document("features.md")
        [dynamic] = (await client.read_resource("demo://resource/dynamic/text/7")).contents
        assert dynamic.text.startswith("Resource 7: ")


async def test_prompts_are_listed_filled_in_and_completed(connect):
    async with connect() as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert [argument.name for argument in prompts["args-prompt"].arguments] == ["city", "state"]
        [message] = (await client.get_prompt("args-prompt", {"city": "Paris", "state": "Texas"})).messages
        assert message.content.text == "What's weather in Paris, Texas?"

        reference = PromptReference(name="completable-prompt")
        completed = await client.complete(reference, {"name": "department", "value": "E"})
        assert completed.completion.values == ["Engineering"]


@pytest.mark.parametrize("by", ["its own name", "call_tool"])
async def test_progress_reaches_the_client_that_asked_for_it(connect, by):
    steps, arguments = [], {"duration": 0.5, "steps": 5}

    async def note(progress, total, _message):
        steps.append((progress, total))

    async with connect() as client:
        await client.list_tools()
        name = "trigger-long-running-operation"
        if by == "call_tool":
            name, arguments = "call_tool", {"name": name, "arguments": arguments}
        result = await client.call_tool(name, arguments, progress_callback=note)
    assert text(result) == "Long running operation completed. Duration: 0.5 seconds, Steps: 5."
    assert steps == [(step, 5) for step in range(1, 6)]


async def test_a_cancelled_call_lets_go_at_once(connect):
    async with connect() as client:
        started = time.monotonic()
        calling = asyncio.create_task(call(client, "trigger-long-running-operation", duration=60, steps=60))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(calling, timeout=1)
        assert text(await call(client, "echo", message="still here")) == "Echo: still here"
        assert time.monotonic() - started < 15


async def test_a_changed_list_of_an_upstream_is_announced(connect):
    heard = asyncio.Event()

    async def hear(message):
        if getattr(message, "method", None) == "notifications/resources/list_changed":
            heard.set()

    async def listen(client):
        async with client.listen(resources_list_changed=True) as subscription:
            listening.set()
            async for event in subscription:
                if isinstance(event, ResourcesListChanged):
                    heard.set()
                    return

    listening = asyncio.Event()
    async with connect(message_handler=hear) as client:
        task = None
        if client.protocol_version == MODERN:
            task = asyncio.create_task(listen(client))
            await asyncio.wait_for(listening.wait(), timeout=10)
        name = f"note-{time.monotonic_ns()}.txt.gz"
        data = {"name": name, "data": "data:text/plain,hello", "outputType": "resourceLink"}
        result = await call(client, "gzip-file-as-resource", **data)
        assert not result.is_error, result.content
        await asyncio.wait_for(heard.wait(), timeout=10)
        if task:
            await task
