"""An answer that is made again, and a thread that goes on where it once was."""

from __future__ import annotations

from typing import Any

from tests.app.serving import Chat, say, serving
from tests.app.test_threads import agent, ask, calls, create_app


def again(message_id: str) -> dict[str, Any]:
    return {"type": "regenerate", "messageId": message_id}


def texts(chat: Chat) -> list[Any]:
    return [content for _, content in chat.shown()]


async def test_an_answer_is_made_again_from_what_was_said() -> None:
    graph, model = agent(["First.", "Second.", "Another.", "A first."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        await chat.ask("Two")
        ids = [message["id"] for message in chat.state["messages"]]

        await chat.send(again(ids[3]))

        assert texts(chat) == ["One", "First.", "Two", "Another."]
        assert [message["id"] for message in chat.state["messages"]][:3] == ids[:3]
        assert [message.content for message in model.calls[2]] == ["One", "First.", "Two"]
        assert (await chat.history())["values"] == chat.state

        await chat.send(again(ids[1]))

        assert texts(chat) == ["One", "A first."]


async def test_a_thread_goes_on_from_a_branch_that_it_had_left() -> None:
    graph, model = agent(["First.", "Another.", "Of the first.", "Of the first, again."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        left = chat.state
        answer = left["messages"][1]["id"]
        await chat.send(again(answer))
        assert texts(chat) == ["One", "Another."]

        chat.state = left
        body = {**chat.body(say("And?")), "headId": answer}
        response = await http.post("/assistant", json=body)
        chat.fold(response.content)

        assert texts(chat) == ["One", "First.", "And?", "Of the first."]
        assert [message.content for message in model.calls[2]] == ["One", "First.", "And?"]
        assert (await chat.history())["values"] == chat.state

        last = chat.state["messages"][3]["id"]
        body = {**chat.body(again(last)), "headId": last}
        chat.fold((await http.post("/assistant", json=body)).content)

        assert texts(chat) == ["One", "First.", "And?", "Of the first, again."]


async def test_a_branch_that_waited_for_an_answer_is_left_in_order() -> None:
    graph, model = agent([calls(("ask", "c1", ['{"question":"?"}'])), "Other.", "Done."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        waiting = chat.state
        answer = waiting["messages"][1]["id"]
        await chat.send(again(answer))
        assert texts(chat) == ["One", "Other."]

        chat.state = {**waiting, "interrupts": []}
        body = {**chat.body(say("Never mind")), "headId": answer}
        chat.fold((await http.post("/assistant", json=body)).content)

        assert [message.type for message in model.calls[2]] == ["human", "ai", "tool", "human"]
        assert texts(chat)[-2:] == ["Never mind", "Done."]
        assert (await chat.history())["values"] == {"messages": chat.state["messages"]}


async def test_what_fits_no_branch_is_refused() -> None:
    graph, _ = agent(["First."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        body = chat.body(say("More"))

        for wrong, status in [
            ({**body, "headId": "nope"}, 409),
            ({**body, "headId": 1}, 400),
            (chat.body(again("nope")), 409),
            (chat.body(again("")), 400),
            (chat.body(again(chat.state["messages"][1]["id"]), say("And")), 400),
        ]:
            response = await http.post("/assistant", json=wrong)
            assert response.status_code == status, wrong
        assert texts(chat) == ["One", "First."]
        assert (await chat.history())["values"] == chat.state
