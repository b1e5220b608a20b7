"""The document at `/openapi.json`, checked by the validator of the OpenAPI initiative's schema."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from starlette.routing import Route
from starlette.testclient import TestClient

from assistant_stream_langgraph._openapi import create_openapi
from assistant_stream_langgraph.app import create_app
from tests.app.agents import agent
from tests.app.bodies import GOOD


@pytest.mark.parametrize("prefix", ["", "/agent"])
def test_the_document_is_valid_also_when_mounted(prefix: str) -> None:
    outer = FastAPI()
    outer.mount(prefix, create_app(agent()))
    with TestClient(outer) as client:
        document = client.get(f"{prefix}/openapi.json" if prefix else "/openapi.json").json()
        if not prefix:  # FastAPI's own document stands before it.
            document = create_openapi()

    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["servers"] == [{"url": prefix or "/"}]


def test_every_endpoint_is_in_it() -> None:
    served = {
        (route.path, method.lower())
        for route in create_app(agent()).routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }

    documented = {
        (path, method) for path, item in create_openapi()["paths"].items() for method in item
    }

    assert documented == served


@pytest.mark.parametrize(("path", "body"), GOOD)
def test_what_the_clients_send_is_what_it_says(path: str, body: Any) -> None:
    document = create_openapi()
    operation = document["paths"][path]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(body)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/threads", "ThreadList"),
        ("/threads/t1/state", "ThreadState"),
        ("/threads/t1/messages", "ThreadMessages"),
        ("/threads/t1/messages?format=ui", "ThreadMessages"),
        ("/v1/models", "Models"),
        ("/health", "Health"),
        ("/threads/none/state", "Error"),
    ],
)
def test_what_is_answered_is_what_it_says(path: str, schema: str) -> None:
    document = create_openapi()
    said = {"role": "user", "parts": [{"type": "text", "text": "Send a mail"}]}
    with TestClient(create_app(agent())) as client:
        body = {"commands": [{"type": "add-message", "message": said}], "threadId": "t1"}
        assert client.post("/assistant", json=body).status_code == 200
        answer = client.get(path).json()

    reference = {"$ref": f"#/components/schemas/{schema}"}
    jsonschema.Draft202012Validator({**reference, "components": document["components"]}).validate(
        answer
    )
