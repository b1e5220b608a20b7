"""The demo shows everything a page can show, without a key."""

from __future__ import annotations

import pytest

from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.demo import create_demo_graph
from assistant_stream_langgraph.threads import GraphError
from tests.app.serving import Chat, serving


async def test_a_question_is_reasoned_about_looked_up_and_answered_with_sources() -> None:
    async with serving(create_app(create_demo_graph(pace=0.0005))) as http:
        chat = Chat(http)
        decoded = await chat.ask("How does streaming work?")

        asked, thought, *results, answer = chat.state["messages"]
        assert asked["content"] == "How does streaming work?"
        assert "How does streaming work" in thought["content"][0]["reasoning"]
        assert [call["name"] for call in thought["tool_calls"]] == ["search_docs", "take_note"]
        assert thought["tool_calls"][0]["args"] == {
            "query": "How does streaming work",
            "limit": 3,
        }
        assert [(result["name"], result["status"]) for result in results] == [
            ("search_docs", "success"),
            ("take_note", "success"),
        ]
        found = [document["url"] for document in results[0]["artifact"]["documents"]]
        reasoning, text = answer["content"]
        assert reasoning["type"] == "reasoning"
        assert text["text"].startswith("You asked: *How does streaming work*")
        assert [source["url"] for source in text["annotations"]] == found
        assert chat.state["notes"] == ["The user wants to know: How does streaming work"]
        assert answer["usage_metadata"]["output_tokens"] > 100
        assert len(decoded.messages) > 50


async def test_arguments_of_both_calls_grow_at_the_same_time() -> None:
    async with serving(create_app(create_demo_graph(pace=0.001))) as http:
        decoded = await Chat(http).ask("How does streaming work?")

        growing = [
            [len(call.get("partial_json", "")) for call in message["tool_calls"]]
            for state in (m["metadata"]["unstable_state"] for m in decoded.messages)
            for message in state["messages"][1:2]
        ]
        assert any(len(sizes) == 2 and 0 < min(sizes) <= max(sizes) < 40 for sizes in growing)


async def test_several_turns_on_any_topic() -> None:
    async with serving(create_app(create_demo_graph(pace=0))) as http:
        chat = Chat(http)
        for question in ["Hello!", "What is {persistence}?", "x" * 500, "Thanks"]:
            await chat.ask(question)

        answers = [
            message["content"][-1]["text"]
            for message in chat.state["messages"]
            if message["type"] == "ai" and not message["tool_calls"]
        ]
        assert answers[0].startswith("Hello!")
        assert "{persistence}" in answers[1]
        assert "one note now" in answers[1]
        assert "2 notes now" in answers[2]
        assert "…" in answers[2]
        assert answers[3] == answers[0]
        ids = [call["id"] for m in chat.state["messages"] for call in m.get("tool_calls", ())]
        assert len(set(ids)) == len(ids) == 4
        assert (await chat.history())["values"] == chat.state


def test_a_model_that_does_not_exist_is_told_in_one_line() -> None:
    with pytest.raises(GraphError, match="the model 'nobody:none' cannot be used: ") as caught:
        create_demo_graph("nobody:none")

    assert "\n" not in str(caught.value)


def test_a_real_model_takes_the_place_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")

    assert "model" in create_demo_graph("openai:gpt-5-mini").nodes
