"""The site as a Django project in one module; Django has one in a process."""

from __future__ import annotations

import json
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authz.middleware import Guard, Identity
from tests.middleware import site
from tests.middleware.points import CountingPoint
from tests.middleware.signing import bearer

POINT = CountingPoint()
MODULE = __name__


def configure() -> None:
    """Make Django ready, once."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=MODULE,
            SECRET_KEY="a-test",
            USE_TZ=True,
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            MIDDLEWARE=[
                "django.middleware.http.ConditionalGetMiddleware",
                "django.middleware.common.CommonMiddleware",
                "authz.middleware.django.AuthzMiddleware",
            ],
            TEMPLATES=[
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "OPTIONS": {
                        "context_processors": ["authz.middleware.django.may"],
                        "libraries": {"authz": "authz.middleware.django_tags"},
                    },
                }
            ],
            AUTHZ_MIDDLEWARE=f"{MODULE}.options",
        )
        django.setup()


configure()

from authz.middleware.django import Options, declared, may_view, public  # noqa: E402


def options() -> Options:
    return Options(Guard(POINT), identity)


def identity(request: HttpRequest) -> Identity | None:
    return bearer().identity(request.headers.get("Authorization", ""))


@public("the front page is about nobody")
def front(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Results</h1>")


@method_decorator(csrf_exempt, name="dispatch")
class Results(View):
    @method_decorator(declared(site.READ))
    def get(self, request: HttpRequest, student: str) -> HttpResponse:
        return _shown(request, site.respond("GET", request.path, "", b""))

    @method_decorator(declared(site.WRITE))
    def post(self, request: HttpRequest, student: str) -> HttpResponse:
        return HttpResponse(site.CHANGED)

    @method_decorator(declared(site.WRITE))
    def delete(self, request: HttpRequest, student: str) -> HttpResponse:
        return HttpResponse(site.CHANGED)


@declared(site.BY_HAND)
def report(request: HttpRequest, student: str) -> HttpResponse:
    return _shown(request, site.respond("GET", request.path, "", b""))


@declared(site.READ)
def page(request: HttpRequest, student: str) -> HttpResponse:
    return HttpResponse(site.page(student))


@declared(site.BY_QUERY)
def by_query(request: HttpRequest) -> HttpResponse:
    return JsonResponse(site.results(request.GET["student"]))


@csrf_exempt
@declared(site.BY_JSON, methods=["POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    return JsonResponse(site.results(json.loads(request.body)["student"]))


def _shown(request: HttpRequest, said: site.Said) -> HttpResponse:
    status, headers, body = site.shown(
        said, request.headers.get("If-None-Match", ""), request.headers.get("Range", "")
    )
    return HttpResponse(body, status=int(status[:3]), headers=dict(headers))


STUDENT: Any = [
    path("results", Results.as_view()),
    path("report", report),
    path("page", page),
]
urlpatterns = [
    path("", front),
    path("students/<student>/", include(STUDENT)),
    path("results", by_query),
    path("lookup", lookup),
    path("authz/may", may_view),
]


def application() -> WSGIHandler:
    return WSGIHandler()
