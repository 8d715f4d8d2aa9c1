"""Django: nothing undeclared starts, and nothing undecided leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import Context, Template
from django.test import AsyncClient, Client
from django.test.utils import override_settings
from django.urls import include, path
from django.views import View

from authz.errors import DeclarationError
from authz.middleware import Guard, Needs, Public
from authz.middleware.django import Options, needs, public
from tests.middleware import django_site, signing
from tests.middleware.loops import run
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER, WITHHELD

READ: dict[str, Any] = {"person": "student", "purpose": "service"}
RECORD = {"assessment": "maths", "score": 12, "comment": "late"}
Urls = Callable[..., None]


@pytest.fixture
def urls() -> Iterator[Urls]:
    """Another site than that of the module, of these patterns."""
    overrides = []

    def of(*patterns: Any, **settings: Any) -> None:
        module: Any = ModuleType("urls")
        module.urlpatterns = list(patterns)
        made = override_settings(ROOT_URLCONF=module, **settings)
        made.enable()
        overrides.append(made)

    yield of
    for made in reversed(overrides):
        made.disable()


def browser(who: str = MUM, **more: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {signing.mint(who)}"}, **more)


@needs("read", "assessment_result", **READ)
def results(request: HttpRequest, student: str) -> HttpResponse:
    return JsonResponse(RECORD)


def undeclared(request: HttpRequest, student: str = "") -> HttpResponse:
    return JsonResponse(RECORD)


def test_it_does_not_start_with_a_route_that_declares_nothing(urls: Urls) -> None:
    urls(path("students/<student>/", include([path("results", undeclared)])))
    with pytest.raises(DeclarationError, match="/students/<student>/results"):
        browser().get(f"/students/{KID}/results")
    with pytest.raises(DeclarationError, match="/students/<student>/results"):
        django_site.application()


def test_it_does_not_start_without_options(urls: Urls) -> None:
    urls(AUTHZ_MIDDLEWARE=None)
    with pytest.raises(DeclarationError, match="AUTHZ_MIDDLEWARE"):
        django_site.application()


def test_a_class_with_a_method_that_declares_nothing_does_not_start(urls: Urls) -> None:
    class Results(View):
        @needs("read", "assessment_result", **READ)
        def get(self, request: HttpRequest, student: str) -> HttpResponse:
            return JsonResponse(RECORD)

        def put(self, request: HttpRequest, student: str) -> HttpResponse:
            return JsonResponse(RECORD)

    urls(path("<student>", Results.as_view()))
    with pytest.raises(DeclarationError, match="PUT declares nothing"):
        django_site.application()


def test_what_cannot_carry_a_declaration_is_declared_by_name_or_namespace(urls: Urls) -> None:
    def options() -> Options:
        held = {"front": Public("about nobody"), "admin:": Public("asks for its own permissions")}
        return Options(Guard(CountingPoint()), django_site.identity, held)

    admin = ([path("users", undeclared, name="users"), path("log", undeclared)], "admin")
    urls(
        path("", undeclared, name="front"),
        path("admin/", include(admin, namespace="admin")),
        AUTHZ_MIDDLEWARE=options,
    )
    for place in ("/", "/admin/users", "/admin/log"):
        assert browser().get(place).status_code == 200
    urls(path("other", undeclared, name="other"), AUTHZ_MIDDLEWARE=options)
    with pytest.raises(DeclarationError, match="/other"):
        django_site.application()


def test_a_declaration_by_name_is_for_one_method(urls: Urls) -> None:
    """Else a DELETE would be decided as the reading that the name declares."""

    class Both(View):
        def get(self, request: HttpRequest, student: str) -> HttpResponse:
            return JsonResponse(RECORD)

        delete = get

    def options() -> Options:
        held = dict.fromkeys(("one", "both"), Needs("read", "assessment_result", "student"))
        return Options(Guard(CountingPoint()), django_site.identity, held)

    urls(path("<student>", undeclared, name="one"), AUTHZ_MIDDLEWARE=options)
    assert browser().get(f"/{KID}").status_code == 200
    assert browser().head(f"/{KID}").status_code == 200
    assert browser().delete(f"/{KID}").status_code == 405
    urls(path("<student>", Both.as_view(), name="both"), AUTHZ_MIDDLEWARE=options)
    with pytest.raises(DeclarationError, match="one declaration for DELETE and GET"):
        django_site.application()


def test_a_function_that_declares_no_method_is_for_reading(urls: Urls) -> None:
    urls(path("<student>", results))
    assert browser().get(f"/{KID}").json() == {"assessment": "maths", "score": 12}
    assert browser().head(f"/{KID}").status_code == 200
    for method in ("post", "put", "delete", "options"):
        assert getattr(browser(), method)(f"/{KID}").status_code == 405


def test_refusals_by_who_and_by_the_point(urls: Urls) -> None:
    urls(path("<student>", results))
    refused = browser().get(f"/{OTHER}", headers={"Accept-Language": "th"})
    assert refused.status_code == 403
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.json()["title"] == "คุณไม่ได้รับอนุญาตให้ใช้ข้อมูลนี้"
    assert Client().get(f"/{KID}").status_code == 401
    django_site.POINT.down = True
    try:
        assert browser().get(f"/{KID}").status_code == 503
    finally:
        django_site.POINT.down = False


def test_what_answers_below_the_middleware_is_decided_first(urls: Urls) -> None:
    """A cache of whole pages, say: it never asks a view."""
    urls(
        path("<student>", results),
        MIDDLEWARE=["authz.middleware.django.AuthzMiddleware", f"{__name__}.cached"],
    )
    assert browser().get(f"/{OTHER}").status_code == 403
    assert browser().get(f"/{KID}").json() == {"assessment": "maths", "score": 12}


def cached(_get_response: Any) -> Any:
    return lambda request: JsonResponse(RECORD)


def test_another_view_than_was_decided_for_does_not_run(urls: Urls) -> None:
    urls(
        path("<student>", results),
        MIDDLEWARE=["authz.middleware.django.AuthzMiddleware", f"{__name__}.rerouting"],
    )
    answer = browser().get(f"/{KID}")
    assert answer.status_code == 500
    assert b"maths" not in answer.content


def test_another_person_than_was_decided_for_is_not_shown(urls: Urls) -> None:
    urls(
        path("<student>", results),
        MIDDLEWARE=["authz.middleware.django.AuthzMiddleware", f"{__name__}.rewriting"],
    )
    answer = browser().get(f"/{KID}")
    assert answer.status_code == 500
    assert b"maths" not in answer.content


def rewriting(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        request.path_info = f"/{OTHER}"
        return get_response(request)

    return middleware


def rerouting(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        module: Any = ModuleType("other")
        module.urlpatterns = [path("<student>", undeclared)]
        request.urlconf = module
        return get_response(request)

    return middleware


def test_streams_and_pages_are_filtered_or_refused(urls: Urls) -> None:
    @needs("read", "assessment_result", **READ)
    def streamed(request: HttpRequest, student: str) -> StreamingHttpResponse:
        kind = request.GET.get("as", "application/json")
        return StreamingHttpResponse([b'{"score": 1, "comm', b'ent": "late"}'], content_type=kind)

    urls(path("<student>", streamed))
    assert browser().get(f"/{KID}").json() == {"score": 1}
    refused = browser().get(f"/{KID}?as=text/csv")
    assert refused.status_code == 403
    assert b"late" not in refused.content
    assert "ETag" not in browser().get(f"/{KID}").headers


def test_errors_of_a_view_leave_without_what_they_tell(urls: Urls) -> None:
    @needs("read", "assessment_result", **READ)
    def failing(request: HttpRequest, student: str) -> HttpResponse:
        raise ValueError(WITHHELD)

    urls(path("<student>", failing), DEBUG=True)
    answer = browser(raise_request_exception=False).get(f"/{KID}")
    assert (answer.status_code, answer.content) == (500, b"")


def test_it_is_the_same_for_an_event_loop(urls: Urls) -> None:
    @needs("read", "assessment_result", **READ)
    async def waiting(request: HttpRequest, student: str) -> HttpResponse:
        return JsonResponse(RECORD)

    urls(path("<student>", waiting))
    signed = {"Authorization": f"Bearer {signing.mint(MUM)}"}

    def get(at: str, **sent: Any) -> Any:
        return run(AsyncClient().get(at, **sent))

    assert get(f"/{KID}", headers=signed).json() == {"assessment": "maths", "score": 12}
    assert get(f"/{OTHER}", headers=signed).status_code == 403
    assert get(f"/{KID}").status_code == 401
    urls(path("<student>", undeclared))
    with pytest.raises(DeclarationError):
        ASGIHandler()


@public("a test")
def listed(request: HttpRequest) -> HttpResponse:
    template = Template(
        '{% load authz %}{% ahead "read" "assessment_result" students %}'
        '{% for student in students %}{% may "read" "assessment_result" student as allowed %}'
        "{% if allowed %}[{{ student }}]{% endif %}{% endfor %}"
    )
    from authz.middleware.django import may  # noqa: PLC0415 (as a context processor)

    students = [KID, OTHER, *(f"S{number}" for number in range(48))]
    return HttpResponse(template.render(Context({"students": students, **may(request)})))


def test_a_page_asks_once_for_all_its_rows(urls: Urls) -> None:
    point = CountingPoint()
    urls(
        path("", listed),
        AUTHZ_MIDDLEWARE=Options(Guard(point), django_site.identity),
    )
    assert browser().get("/").content.decode() == f"[{KID}]"
    assert [len(batch) for batch in point.asked] == [50]


def test_the_front_end_asks_for_whoever_is_signed_in() -> None:
    question = {"action": "read", "category": "assessment_result", "person": KID}
    asked = {"questions": [question, {**question, "person": OTHER}]}
    sent: dict[str, Any] = {"data": json.dumps(asked), "content_type": "application/json"}
    assert browser().post("/authz/may", **sent).json() == {"answers": [True, False]}
    assert Client().post("/authz/may", **sent).status_code == 401
    assert browser().get("/authz/may").status_code == 405
