"""View sets of Django REST framework, guarded by the middleware of Django."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.test.utils import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator

from authz.errors import DeclarationError
from authz.middleware import Guard, Needs, Public
from authz.middleware.declare import Declaration
from authz.middleware.django import Options, declared
from tests.middleware import django_site, signing, site
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER, SECRET, WITHHELD

from rest_framework.response import Response  # isort: skip  (after Django is configured)
from rest_framework.routers import SimpleRouter  # isort: skip
from rest_framework.viewsets import ViewSet  # isort: skip


class Results(ViewSet):
    authentication_classes = ()
    permission_classes = ()
    lookup_field = "student"

    @method_decorator(declared(site.READ))
    def retrieve(self, request: HttpRequest, student: str) -> Response:
        return Response(site.results(student))

    @method_decorator(declared(site.WRITE))
    def destroy(self, request: HttpRequest, student: str) -> Response:
        return Response(site.CHANGED.decode())


class Undeclared(Results):
    def update(self, request: HttpRequest, student: str) -> Response:
        return Response(site.CHANGED.decode())


def _patterns(kind: type[ViewSet]) -> Any:
    router = SimpleRouter()
    router.register("students", kind, basename="student")
    return [path("", include(router.urls))]


def _urls(kind: type[ViewSet], **settings: Any) -> override_settings:
    module: Any = ModuleType("urls")
    module.urlpatterns = _patterns(kind)
    return override_settings(ROOT_URLCONF=module, **settings)


def test_each_action_is_decided_by_its_own_declaration() -> None:
    browser = Client(headers={"Authorization": f"Bearer {signing.mint(MUM)}"})
    with _urls(Results):
        found = browser.get(f"/students/{KID}/")
        assert [set(each) for each in found.json()["results"]] == [{"assessment", "score"}] * 2
        assert WITHHELD not in found.content
        assert browser.head(f"/students/{KID}/").status_code == 200
        answers = [browser.get(f"/students/{OTHER}/"), browser.delete(f"/students/{KID}/")]
        assert [answer.status_code for answer in answers] == [403, 403]
        for method in ("post", "put", "options"):
            answers.append(getattr(browser, method)(f"/students/{KID}/"))
            assert answers[-1].status_code == 405
        for answer in answers:
            assert not any(each in answer.content for each in (SECRET, site.CHANGED, WITHHELD))
        assert Client().get(f"/students/{KID}/").status_code == 401


def test_a_view_set_with_an_action_that_declares_nothing_does_not_start() -> None:
    with _urls(Undeclared), pytest.raises(DeclarationError, match="PUT declares nothing"):
        django_site.application()


def test_a_view_set_of_several_actions_has_no_declaration_by_name() -> None:
    def options() -> Options:
        read = Needs("read", "assessment_result", "student")
        held: dict[str, Declaration] = {"student-detail": read, "student-list": Public("of nobody")}
        return Options(Guard(CountingPoint()), django_site.identity, held)

    with (
        _urls(Undeclared, AUTHZ_MIDDLEWARE=options),
        pytest.raises(DeclarationError, match="one declaration for DELETE and GET and PUT"),
    ):
        django_site.application()
