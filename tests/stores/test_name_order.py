"""Names stand in the order of a Thai dictionary, on both databases alike (Thai collation)."""

from __future__ import annotations

from random import Random

from sqlalchemy import Engine, insert, select, text

from authz import clock
from authz.cli.demo.names import given, surname
from authz.directory import tables as t
from authz.directory.collation import beginning, name_order

WORDS = (
    "เก ก กก เกก แก ไก ใก โก กา กำ กิ กี กึ กื กุ กู เกา เกาะ เกาะแก้ว แกะ ขา เขา ข้า เข้า ค่า คา ค้า"
    " น้ำ นำ น้ำฝน นา นาย เนย เปล ปลา เพชร พลอย แพร พร ฝน สมชาย สมศรี สมหญิง เสมา แสม แสง ศรี"
    " อนันต์ อนันตา เอก ไอซ์ ออม อ้อม อ๋อม ณัฐ ณัฐพล ฐิติ ฤทัย ฤดี ภัทร ภัทรา ภ.ส. Anna anna Béa Bea Zoe"
)


def names() -> list[str]:
    """Words that are hard to order, and names of every day."""
    random = Random(7)
    found = {given(random, sex) for _ in range(300) for sex in ("male", "female")}
    return sorted({*found, *(surname(random) for _ in range(300)), *WORDS.split()})


def test_the_order_of_names_is_that_of_icu(postgres_store: Engine) -> None:
    ordered = 'select n from unnest(cast(:names as text[])) as u(n) order by n collate "{}"'
    with postgres_store.connect() as connection:
        statement = text(ordered.format("th-x-icu"))
        expected = list(connection.scalars(statement, {"names": names()}))
    found = sorted(expected, key=lambda name: name_order(name, ""))
    differing = [
        (one, other) for one, other in zip(found, expected, strict=True)
        if name_order(one, "") != name_order(other, "")
    ]  # fmt: skip
    assert differing == []


def test_people_are_listed_in_that_order(store: Engine) -> None:
    rows = [
        {"id": str(n), "given_name": name, "origin": "fact", "recorded_at": clock.now()}
        for n, name in enumerate(names())
    ]
    with store.begin() as connection:
        connection.execute(insert(t.Person), rows)
        query = select(t.Person.name_order).order_by(t.Person.name_order)
        found = list(connection.scalars(query))
    assert found == sorted(name_order(str(row["given_name"]), "") for row in rows)


def test_what_a_name_begins_with_is_the_beginning_of_its_key() -> None:
    for whole, part in (("เกาะแก้ว", "เกา"), ("น้ำฝน", "น้ำ"), ("Bea", "be"), ("แสงดาว", "แส")):
        assert name_order(whole, "x").startswith(beginning(part))
