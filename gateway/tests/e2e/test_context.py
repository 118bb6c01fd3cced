"""The built-in upstream, as a client sees it."""

from tollgate import META_TOOLS
from wire import Wire

PROFILE = {"default": {"upstreams": ["context"], "tools_budget_tokens": "off"}}
REQUIRED = {
    "count_tokens": {"text": "one two three"},
    "read_text": {"path": "tollgate.toml"},
    "list_files": {},
}


def test_a_client_that_fills_in_defaults_is_answered(gateway):
    wire = Wire(gateway({}, PROFILE).url())
    tools = {tool["name"]: tool["inputSchema"] for tool in wire.tools() if tool["name"] not in META_TOOLS}
    assert set(tools) == set(REQUIRED)
    for name, schema in tools.items():
        assert set(schema.get("required", [])) <= set(REQUIRED[name])
        defaults = {key: it["default"] for key, it in schema["properties"].items() if "default" in it}
        assert None not in defaults.values()
        assert wire.text(name, {**defaults, **REQUIRED[name]})
