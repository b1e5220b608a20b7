"""`create_app` over a real socket, read by the client's own decoders."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from starlette.applications import Starlette
from starlette.requests import Request

from assistant_stream_ce import RequestError
from assistant_stream_ce._json import to_json
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import ThreadCall, create_app
from assistant_stream_langgraph.threads import Graph, GraphError
from tests.app.serving import Chat, calls, say, serving
from tests.npm import Protocol


@tool(response_format="content_and_artifact")
async def search(query: str) -> tuple[str, dict[str, Any]]:
    """Search the web."""
    await asyncio.sleep(0.01)
    return f"found {query}", {"documents": [query]}


@tool
async def fail(query: str) -> str:
    """Fail."""
    raise ValueError(query)


TURNS = [
    [
        "Let me ",
        "look. ",
        *calls(("search", "c1", ['{"que', 'ry": ', '"a"}']), ("search", "c2", ['{"query":"b"}'])),
    ],
    "All is found now.",
    "And a second answer.",
]


def agent(turns: list[Any], tools: list[Any], **options: Any) -> Graph:
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), tools, **options)
    return graph


async def committed(graph: Graph, thread_id: str | None) -> Any:
    snapshot = await graph.aget_state({"configurable": {"thread_id": thread_id}})
    return to_json(snapshot.values)


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_the_page_shows_what_the_graph_has_committed(protocol: Protocol) -> None:
    graph = agent(TURNS, [search], checkpointer=InMemorySaver())
    async with serving(create_app(graph)) as http:
        chat = Chat(http, protocol=protocol)

        await chat.ask("Find a and b.")

        assert chat.state == await committed(graph, chat.thread_id)
        assert chat.shown() == [
            ("human", "Find a and b."),
            ("ai", "Let me look. "),
            ("tool", "found a"),
            ("tool", "found b"),
            ("ai", "All is found now."),
        ]
        asked = chat.state["messages"][1]["tool_calls"]
        assert [(call["id"], call["args"]) for call in asked] == [
            ("c1", {"query": "a"}),
            ("c2", {"query": "b"}),
        ]
        assert chat.state["messages"][2]["artifact"] == {"documents": ["a"]}


async def test_a_second_turn_goes_on_with_the_thread() -> None:
    graph = agent(TURNS, [search], checkpointer=InMemorySaver())
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Find a and b.")
        thread_id = chat.thread_id

        await chat.ask("And more?")

        assert chat.thread_id == thread_id
        assert chat.shown()[-2:] == [("human", "And more?"), ("ai", "And a second answer.")]
        assert chat.state == await committed(graph, thread_id)
        ids = [message["id"] for message in chat.state["messages"]]
        assert None not in ids
        assert len(set(ids)) == len(ids)


async def test_the_first_change_holds_the_users_message_and_the_answer_grows() -> None:
    model = ScriptedChatModel(turns=["one two three"], delay=0.02)
    async with serving(create_app(create_agent(model, []))) as http:
        decoded = await Chat(http).ask("Hello")

        states = [message["metadata"]["unstable_state"]["messages"] for message in decoded.messages]
        assert [message["content"] for message in states[0]] == ["Hello"]
        answers = [messages[1]["content"] for messages in states if len(messages) > 1]
        assert {"one ", "one two ", "one two three"} <= set(answers)


async def test_history_is_what_the_stream_has_shown() -> None:
    # What the middleware counts in this run is kept nowhere.
    graph = agent(TURNS, [search], middleware=[ModelCallLimitMiddleware(run_limit=9)])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Find a and b.")

        history = await chat.history()

        assert history == {
            "threadId": chat.thread_id,
            "values": chat.state,
            "interrupts": [],
            "runId": None,
        }


async def test_a_client_that_has_lost_its_state_gets_all_of_it() -> None:
    async with serving(create_app(agent(TURNS, [search]))) as http:
        chat = Chat(http)
        await chat.ask("Find a and b.")
        reloaded = Chat(http, thread_id=chat.thread_id, state=None)

        await reloaded.ask("And more?")

        assert reloaded.state == (await reloaded.history())["values"]
        assert len(reloaded.state["messages"]) == 7


@pytest.mark.parametrize("state", [{"messages": "x"}, {"messages": [1, {}]}, {"other": [1]}])
async def test_a_state_that_makes_no_sense_is_replaced_and_never_believed(state: Any) -> None:
    async with serving(create_app(agent(["Hi"], []))) as http:
        chat = Chat(http, state=state)

        await chat.ask("Hello")

        assert chat.shown() == [("human", "Hello"), ("ai", "Hi")]
        assert set((await chat.history())["values"]) == {"messages"}


async def test_images_and_files_reach_the_model_as_content_blocks() -> None:
    model = ScriptedChatModel(turns=["Nice."])
    async with serving(create_app(create_agent(model, []))) as http:
        parts = [
            {"type": "text", "text": "Look:"},
            {"type": "image", "image": "https://example.com/a.png"},
            {
                "type": "file",
                "data": "data:text/plain,a%20b",
                "mimeType": "text/plain",
                "filename": "a.txt",
            },
        ]
        command = {"type": "add-message", "message": {"role": "user", "parts": parts}}

        chat = Chat(http)
        await chat.send(command)

    text, image, file = chat.state["messages"][0]["content"]
    assert text == {"type": "text", "text": "Look:"}
    assert image == {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert (file["data"], file["mime_type"], file["metadata"]["filename"]) == (
        "YSBi",
        "text/plain",
        "a.txt",
    )
    [message] = model.calls[0]
    assert [block["type"] for block in message.content_blocks] == ["text", "image", "file"]


class Progress(MessagesState):
    progress: int
    secret: str


def counting_graph() -> StateGraph[Any, Any, Any, Any]:
    async def count(state: Progress) -> dict[str, Any]:
        get_stream_writer()({"step": 1})
        return {"progress": 1, "secret": "hidden", "messages": ["done"]}

    builder = StateGraph(Progress)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    return builder


async def test_every_key_of_the_state_is_shown_by_default() -> None:
    async with serving(create_app(counting_graph().compile())) as http:
        chat = Chat(http)
        await chat.ask("Go")

        assert (chat.state["progress"], chat.state["secret"]) == (1, "hidden")


@pytest.mark.parametrize(
    ("keys", "shown"), [(["progress"], {"messages", "progress"}), (False, {"messages"})]
)
async def test_keys_that_are_not_allowed_never_leave_the_server(keys: Any, shown: set[str]) -> None:
    async with serving(create_app(counting_graph().compile(), state=keys)) as http:
        chat = Chat(http)
        response = await chat.post(say("Go"))
        chat.thread_id = response.headers["x-thread-id"]

        assert "hidden" not in response.text
        assert set((await chat.history())["values"]) == shown


async def test_a_mounted_app_lives_under_its_prefix() -> None:
    api = FastAPI()
    api.mount("/agent", create_app(agent(["Hi"], []), playground=True))

    @api.get("/own")
    async def own() -> str:
        return "own"

    async with serving(api) as http:
        chat = Chat(http, prefix="/agent")

        await chat.ask("Hello")

        assert chat.shown() == [("human", "Hello"), ("ai", "Hi")]
        assert (await chat.history())["values"] == chat.state
        assert (await http.get("/agent/health")).json() == {"status": "ok"}
        assert (await http.get("/own")).json() == "own"
        assert (await http.get("/health")).status_code == 404


@dataclass
class Owner:
    thread: str
    language: Any


async def test_hooks_make_config_and_context_and_may_refuse() -> None:
    seen: list[Any] = []

    async def node(
        state: MessagesState, config: RunnableConfig, runtime: Runtime[Owner]
    ) -> dict[str, Any]:
        seen.append((config["configurable"]["user"], runtime.context))
        return {"messages": ["ok"]}

    builder: Any = StateGraph(MessagesState, context_schema=Owner)
    builder.add_node("node", node)
    builder.add_edge(START, "node")

    async def config(call: ThreadCall) -> Any:
        user = call.request.headers.get("x-user")
        if user is None:
            raise RequestError("Who are you?", status_code=401)
        return {"configurable": {"user": user, "thread_id": "not-this-one"}}

    def context(call: ThreadCall) -> Owner:
        assert call.body is not None
        return Owner(thread=call.thread_id, language=call.body.body["language"])

    app = create_app(builder.compile(), config=config, context=context)
    async with serving(app) as http:
        body = {**Chat(http, thread_id="t1").body(say("Hi")), "language": "nl"}

        refused = await http.post("/assistant", json=body)
        done = await http.post("/assistant", json=body, headers={"x-user": "ann"})
        history = await http.get("/threads/t1/state")

        assert (refused.status_code, refused.json()["error"]["message"]) == (401, "Who are you?")
        assert done.status_code == 200
        assert seen == [("ann", Owner("t1", "nl"))]
        assert history.status_code == 401


async def test_a_config_is_used_for_every_run() -> None:
    seen: list[Any] = []

    def node(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        seen.append(config["configurable"]["level"])
        return {"messages": ["ok"]}

    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    async with serving(
        create_app(builder.compile(), config={"configurable": {"level": 3}})
    ) as http:
        await Chat(http).ask("a")
        await Chat(http).ask("b")

    assert seen == [3, 3]


async def test_cors_is_closed_until_an_origin_is_named() -> None:
    asking = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    async with serving(create_app(agent(["Hi"], []))) as http:
        preflight = await http.options("/assistant", headers=asking)
        assert "access-control-allow-origin" not in preflight.headers
        assert preflight.status_code == 405

    app = create_app(agent(["Hi"], []), cors_origins=["https://a.example"])
    async with serving(app) as http:
        preflight = await http.options("/assistant", headers=asking)
        foreign = await http.get("/health", headers={"Origin": "https://b.example"})
        own = await http.get("/health", headers={"Origin": "https://a.example"})

        assert preflight.headers["access-control-allow-origin"] == "https://a.example"
        assert "access-control-allow-origin" not in foreign.headers
        exposed = own.headers["access-control-expose-headers"].split(", ")
        assert {"x-thread-id", "x-vercel-ai-data-stream"} <= set(exposed)


def test_the_given_checkpointer_wins_and_the_graph_is_left_alone() -> None:
    graph = agent(["Hi"], [])

    app = create_app(graph)

    assert isinstance(app, Starlette)
    assert graph.checkpointer is None


async def test_threads_survive_a_new_app_on_the_same_checkpointer() -> None:
    saver = InMemorySaver()
    async with serving(create_app(agent(["First."], []), checkpointer=saver)) as http:
        chat = Chat(http)
        await chat.ask("One")
    async with serving(create_app(agent(["Second."], []), checkpointer=saver)) as http:
        chat.http = http
        await chat.ask("Two")

        assert [content for _, content in chat.shown()] == ["One", "First.", "Two", "Second."]


class Silent(TypedDict):
    number: int


def test_what_cannot_be_served_is_refused_at_once() -> None:
    builder = counting_graph()
    with pytest.raises(GraphError, match=r"needs a compiled graph, not StateGraph: call `.compile"):
        create_app(builder)  # type: ignore[arg-type]

    silent = StateGraph(Silent)
    silent.add_node("node", lambda state: {"number": 1})
    silent.add_edge(START, "node")
    with pytest.raises(GraphError, match="no `messages` channel"):
        create_app(silent.compile())


async def test_the_app_works_inside_another_starlette_app_without_lifespan() -> None:
    seen: list[str] = []

    async def config(call: ThreadCall) -> Any:
        seen.append(_root_of(call.request))
        return {}

    outer = Starlette()
    outer.mount("/a/b", create_app(agent(["Hi"], []), config=config))
    async with serving(outer) as http:
        await Chat(http, prefix="/a/b").ask("Hello")

    assert seen == ["/a/b"]


def _root_of(request: Request) -> str:
    root: str = request.scope["root_path"]
    return root
